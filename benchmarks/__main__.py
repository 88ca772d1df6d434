"""Every bench of this package in turn, each in a process of its own: ``python -m benchmarks [--data DIR --out OUT]``.

A bench is a module that can be run. Those that measure quality read data that is not in this repository, and run
where it is named.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson

RUNS = 'if __name__ == "__main__":'
NEEDS_DATA = re.compile(r'"--data".*required=True')
# Make tables of what benches print, and data for them: they measure nothing.
TOOLS = ("detection_table", "forecasting_cut")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument(
        "--data", type=Path, help="labelled series and forecasting cases; without it quality is not measured"
    )
    parser.add_argument("--out", type=Path, help="where the quality benches put their answers (default: nowhere)")
    arguments = parser.parse_args()
    figures: dict[str, object] = {}
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, options in benches(arguments.data, arguments.out or Path(scratch)):
            print(f"== {name}", flush=True)
            last = _run(name, options)
            if last is None:
                failed.append(name)
            else:
                figures[name] = last
    print(orjson.dumps({"benches": figures, "failed": failed}).decode())
    return 1 if failed else 0


def benches(data: Path | None, out: Path) -> Iterator[tuple[str, list[str]]]:
    """Names of the modules that are benches, and the arguments they are run with."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        source = path.read_text()
        if RUNS not in source or path.stem in TOOLS:
            continue
        if not NEEDS_DATA.search(source):
            yield path.stem, []
        elif data is not None:
            yield path.stem, ["--data", str(data), "--out", str(out / path.stem)]


def _run(name: str, options: list[str]) -> object | None:
    """The JSON object that the bench prints last, what it prints before being passed on; None where it fails."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bench:
        for line in bench.stdout or ():
            print(line, end="", flush=True)
            last = line
    return orjson.loads(last) if bench.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
