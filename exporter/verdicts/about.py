"""Which alert of alertmanager/rules/forethought.yml tells of which alarm of a series."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.verdict import About

ALERTS = {About.PAST: "ForethoughtAnomaly", About.PEERS: "ForethoughtPeerAnomaly"}
_MEANING = {name: about for about, name in ALERTS.items()}


def about_of(labels: Mapping[str, str]) -> About:
    """The alarm that an alert with these labels tells of."""
    return _MEANING.get(labels.get("alertname", ""), About.ANY)
