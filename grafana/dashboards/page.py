"""What the dashboards have in common."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

OVERVIEW = "forethought-overview"
DETAIL = "forethought-detail"
"""Addresses of the dashboards; alert rules link to them."""


def page(uid: str, title: str, description: str) -> Dashboard:
    """Build an empty dashboard."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["forethought"])
        .readonly()
        .timezone("browser")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
