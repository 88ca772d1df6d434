"""Write the dashboards' JSON: ``python -m grafana.build``, or with ``--check`` compare it with what is committed."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import click
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import GENERATED
from grafana.dashboards.anomaly_detail import anomaly_detail
from grafana.dashboards.overview import overview

_SHOWN_LINES = 40


def render() -> dict[str, str]:
    """File name and JSON of each dashboard. Equal code gives equal bytes."""
    built = {"overview": overview().build(), "anomaly_detail": anomaly_detail().build()}
    for dashboard in built.values():
        for number, panel in enumerate(dashboard.panels or (), start=1):
            panel.id_val = number
    encoded = {
        name: json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) for name, dashboard in built.items()
    }
    return {f"{name}.json": text + "\n" for name, text in encoded.items()}


def differences(folder: Path) -> list[str]:
    """Lines that say how the files of a folder differ from the code; empty where they do not."""
    wanted = render()
    lines = [
        f"{path.name} is not made by the code" for path in sorted(folder.glob("*.json")) if path.name not in wanted
    ]
    for name, text in wanted.items():
        path = folder / name
        old = path.read_text() if path.exists() else ""
        lines += difflib.unified_diff(
            old.splitlines(), text.splitlines(), name, f"{name} by the code", lineterm="", n=1
        )
    return lines


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where the committed files differ from the code.")
def main(check: bool) -> None:
    """Build the Grafana dashboards from the code."""
    if check:
        if lines := differences(GENERATED):
            click.echo(
                "\n".join([*lines[:_SHOWN_LINES], "The dashboards are not up to date. Run: make dashboards"]), err=True
            )
            raise SystemExit(1)
        return
    GENERATED.mkdir(exist_ok=True)
    for name, text in render().items():
        (GENERATED / name).write_text(text)
        click.echo(f"{GENERATED.name}/{name}")


if __name__ == "__main__":
    main()
