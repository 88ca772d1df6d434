"""`python -m demo incident`: let something go wrong in the demo that runs."""

from __future__ import annotations

from pathlib import Path

import click
import requests

from demo import configure
from demo.invocation import python
from demo.planting import KINDS
from demo.show import clock

EXAMPLES = f"""\b
Examples:
  {python()} -m demo incident failure-burst
  {python()} -m demo incident failure-burst billing-payment-capture --minutes 3
  {python()} -m demo incident dead-exporter --minutes 2
"""


@click.command(epilog=EXAMPLES)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("target", required=False, metavar="[PIPELINE_ID]")
@click.option("--minutes", type=click.FloatRange(0.5, 240), default=5, show_default=True, help="How long it lasts.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=configure.CHECKOUT / ".demo",
    help="Folder of the running demo.  [default: .demo in the checkout]",
)
def incident(kind: str, target: str | None, minutes: float, state: Path) -> None:
    """Let something go wrong now, in the demo that runs.

    PIPELINE_ID is the workload that suffers; the platform's own metrics page lists all.
    """
    try:
        address = configure.State(state.resolve()).read_ports().url("load") + "/-/incident"
        answer = requests.post(address, json={"kind": kind, "target": target, "minutes": minutes}, timeout=10)
    except (FileNotFoundError, requests.ConnectionError) as error:
        raise click.ClickException(f"A demo must run on {state}. There is none; start it with: make demo") from error
    if not answer.ok:
        raise click.ClickException(answer.text.strip())
    planted = answer.json()
    click.echo(f"{planted['kind']}: {planted['target']}, {planted['title']}; until {clock(planted['end'])}")
