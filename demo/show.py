"""What the demo says on the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

import requests
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from demo.children import ChildDied
from demo.incidents import Incident
from demo.invocation import python
from demo.ports import Moved, Ports
from demo.receiver import Notification

GRAPHS = (
    ("how strange each series is", "forethought_anomaly_score", "1h"),
    (
        "failures of billing-invoice-export beside their expected band",
        '{__name__=~"forethought_(value|expected_lower|expected_upper)", query="pipeline_failures", '
        'pipeline_id="billing-invoice-export"}',
        "1h",
    ),
    (
        "runs a second of acme's workloads in an hour's time",
        'forethought_forecast{query="pipeline_throughput", horizon="1h", tenant_id="acme"}',
        "1h",
    ),
    ("days until a limit is reached", "(forethought_limit_timestamp_seconds - time()) / 86400", "1h"),
    (
        "two weeks of one workload",
        'sum by (pipeline_id) (rate(pipeline_executions_total{pipeline_id="orders-fraud-check"}[15m]))',
        "2w",
    ),
)
"""What it shows, the expression, how far back."""
FILLING = "/series?" + urlencode({"query": "artifact_store_used_bytes", "series": '{tenant_id="acme"}'})


def moved(console: Console, ports: Sequence[Moved]) -> None:
    """Say which ports were busy."""
    for port in ports:
        console.print(f"port {port.wanted} of {port.name} is busy; taking {port.taken}")


def ready(console: Console, ports: Ports, seconds: float) -> None:
    """Say that all runs, and what to open."""
    prometheus = ports.url("prometheus")
    pages = [(f"Prometheus: {text}", graph(prometheus, expression, past)) for text, expression, past in GRAPHS]
    pages += [
        ("Prometheus: alerts", f"{prometheus}{_ui(prometheus)}/alerts"),
        ("Alertmanager: what fires now", ports.url("alertmanager") + "/api/v2/alerts"),
        ("notifications as they arrive", ports.url("receiver") + "/"),
        ("forethought", ports.url("sidecar") + "/"),
        ("forethought: a disk that fills up", ports.url("sidecar") + FILLING),
        ("the platform's own metrics", ports.url("load") + "/metrics"),
    ]
    console.print("Open")
    for text, address in pages:
        console.print(
            f"  {text}\n    {address}", soft_wrap=True, highlight=False
        )  # an address in one piece can be clicked
    console.print(
        f"To let something else go wrong: {python()} -m demo incident --help", soft_wrap=True, highlight=False
    )
    console.print(f"[bold green]ready[/] after {seconds:.0f} s at {clock(time.time())}")


def timetable(console: Console, incidents: Sequence[Incident]) -> None:
    """Say what will happen, and when."""
    if not incidents:
        console.print("Nothing is planned to go wrong; nothing should alert.")
        return
    table = Table(title="What will happen", title_justify="left", box=None)
    for heading in ("from", "to", "what", "where", "seen as"):
        table.add_column(heading, overflow="fold")
    for incident in sorted(incidents, key=lambda one: one.start):
        table.add_row(clock(incident.start), clock(incident.end), incident.kind, incident.target, incident.title)
    console.print(table)


def begins(console: Console, incident: Incident) -> None:
    """Say that an incident begins."""
    console.print(
        f"{clock(incident.start)} [yellow]begins[/] {incident.kind}: {incident.target}, {incident.title}",
        soft_wrap=True,
    )


def ends(console: Console, incident: Incident) -> None:
    """Say that an incident is over."""
    console.print(f"{clock(incident.end)} [cyan]ends[/]   {incident.kind}: {incident.target}", soft_wrap=True)


def arrived(console: Console, notification: Notification) -> None:
    """Say that a notification has come."""
    console.print(f"{notification.clock} [magenta]notification[/] {escape(notification.line)}", soft_wrap=True)


def died(console: Console, error: ChildDied) -> None:
    """Say which process ended, and its last words."""
    console.print(f"[bold red]{escape(str(error))}[/]", soft_wrap=True)
    for line in error.last_lines:
        console.print("  " + escape(line), soft_wrap=True, highlight=False)


def graph(base: str, expression: str, past: str) -> str:
    """Address of Prometheus' graph page for an expression."""
    query = urlencode({"g0.expr": expression, "g0.tab": "0", "g0.range_input": past})
    return f"{base}{_ui(base)}/graph?{query}"


def clock(seconds: float) -> str:
    """Local time of day."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")


def _ui(base: str) -> str:
    """Debian's Prometheus has the old pages only, and on the way there from the new ones an expression is lost."""
    answer = requests.get(base + "/graph", timeout=5)
    return "/classic" if "/classic/" in answer.url or not answer.ok else ""
