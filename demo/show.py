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
from demo.ports import Moved, Ports
from demo.receiver import Notification

EXPRESSIONS = (
    ("how strange each series is", "forethought_anomaly_score"),
    (
        "failures of billing-invoice-export beside their expected band",
        '{__name__=~"forethought_(value|expected_lower|expected_upper)", query="pipeline_failures", '
        'pipeline_id="billing-invoice-export"}',
    ),
    (
        "the forecast for now that was made an hour ago",
        'forethought_forecast{horizon="1h", query="pipeline_failures"} offset 1h',
    ),
    ("two weeks of one workload", 'sum(rate(pipeline_executions_total{pipeline_id="orders-fraud-check"}[15m]))'),
)


def moved(console: Console, ports: Sequence[Moved]) -> None:
    """Say which ports were busy."""
    for port in ports:
        console.print(f"port {port.wanted} of {port.name} is busy; taking {port.taken}")


def ready(console: Console, ports: Ports, seconds: float) -> None:
    """Say that all runs, and what to open."""
    table = Table(title="Open", title_justify="left", show_header=False, box=None)
    table.add_column()
    table.add_column(overflow="fold")
    for text, expression in EXPRESSIONS:
        table.add_row(f"Prometheus: {text}", graph(ports.url("prometheus"), expression))
    table.add_row("Prometheus: alerts", ports.url("prometheus") + _ui(ports.url("prometheus")) + "/alerts")
    table.add_row("Alertmanager: what fires now", ports.url("alertmanager") + "/api/v2/alerts")
    table.add_row("notifications as they arrive", ports.url("receiver") + "/")
    table.add_row("forethought", ports.url("sidecar") + "/")
    table.add_row("the platform's own metrics", ports.url("load") + "/metrics")
    console.print(table, soft_wrap=True)
    console.print(f"[bold green]ready[/] after {seconds:.0f} s at {clock(time.time())}")


def timetable(console: Console, incidents: Sequence[Incident]) -> None:
    """Say what will happen, and when."""
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


def graph(base: str, expression: str) -> str:
    """Address of Prometheus' graph page for an expression."""
    query = urlencode({"g0.expr": expression, "g0.tab": "0", "g0.range_input": "2h"})
    return f"{base}{_ui(base)}/graph?{query}"


def clock(seconds: float) -> str:
    """Local time of day."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")


def _ui(base: str) -> str:
    """Debian's Prometheus has the old pages only, under a path of their own."""
    return "/classic" if requests.get(base + "/graph", timeout=5).status_code == 404 else ""
