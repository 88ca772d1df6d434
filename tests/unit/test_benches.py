"""`make bench` runs what measures something, with the arguments it needs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.__main__ import TOOLS, benches


def test_every_bench_is_found_and_no_tool():
    without, with_data = dict(benches(None, Path("out"))), dict(benches(Path("data"), Path("out")))
    assert {"cycle", "decode", "scoring"} <= set(without) < set(with_data)
    assert with_data["detection"] == ["--data", "data", "--out", "out/detection"]
    assert not set(with_data) & set(TOOLS)
    folder = Path(__file__).parents[2] / "benchmarks"
    assert all((folder / f"{name}.py").exists() for name in TOOLS)
