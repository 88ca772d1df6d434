"""Draw the dashboards: ``python -m grafana.preview http://127.0.0.1:9090``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import click

from grafana import GENERATED
from grafana.ask import Dashboard, NoPrometheus, Refused
from grafana.preview.page import page
from grafana.preview.picture import NotDrawn, draw


@click.command()
@click.argument("url")
@click.option("--dashboard", "name", type=click.Choice(sorted(path.stem for path in GENERATED.glob("*.json"))))
@click.option(
    "--var", "chosen", multiple=True, nargs=2, metavar="NAME VALUE", help="A variable's. Default: its first, or all."
)
@click.option("--from", "first", metavar="TIME", help="Such as now-6h. Default: as the dashboard says.")
@click.option("--to", "last", metavar="TIME", help="Such as now or now+2h.")
@click.option("--at", type=float, help="Seconds since the epoch that now stands for. Default: now.")
@click.option(
    "--only", "titles", multiple=True, metavar="TEXT", help="Only panels whose title begins so; may be repeated."
)
@click.option("--width", type=click.IntRange(400, 4000), default=1600, show_default=True, help="Pixels.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/dashboards"), show_default=True
)
def main(
    url: str,
    name: str | None,
    chosen: tuple[tuple[str, str], ...],
    first: str | None,
    last: str | None,
    at: float | None,
    titles: tuple[str, ...],
    width: int,
    out: Path,
) -> None:
    """Draw the dashboards with what the Prometheus at URL has, as PNG.

    What Grafana would show and this cannot is named, and the exit status is 1.
    """
    times = (first or "now-6h", last or "now") if first or last else None
    missing: list[str] = []
    pictures: list[Path] = []
    try:
        paths = sorted(GENERATED.glob(f"{name or '*'}.json"))
        dashboards = [Dashboard(path, url, at or time.time(), dict(chosen), times) for path in paths]
        _require_known(dashboards, dict(chosen))
        for path, dashboard in zip(paths, dashboards, strict=True):
            shown = page(dashboard, width, titles)
            if not shown["panels"]:
                continue
            pictures.append(out.resolve() / path.with_suffix(".png").name)
            missing += [f"{path.stem}: {line}" for line in draw(shown, pictures[-1])]
            click.echo(pictures[-1])
    except (NoPrometheus, Refused, NotDrawn, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if not pictures:
        raise click.ClickException(f"The title of a panel must begin with one of: {', '.join(titles)}. None does.")
    click.echo("\n".join(missing), err=True, nl=bool(missing))
    raise SystemExit(bool(missing))


def _require_known(dashboards: list[Dashboard], chosen: Mapping[str, str]) -> None:
    known = {variable["name"] for dashboard in dashboards for variable in dashboard.variables}
    if unknown := sorted(set(chosen) - known):
        raise ValueError(f"No dashboard has a variable {unknown[0]}. There are: {', '.join(sorted(known))}.")


if __name__ == "__main__":
    main()
