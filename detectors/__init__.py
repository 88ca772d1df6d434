"""Is it strange?"""

from typing import Any

from detectors.base import Band, Baseline, Detector
from detectors.level import Level
from detectors.profile import Profile
from detectors.seasonal import SeasonalBaseline
from detectors.width import Width
from series import Calendar

DETECTORS: dict[str, type[Detector]] = {"seasonal": SeasonalBaseline}
"""Public name to class, as a configuration names it."""

FITTED: tuple[type[Any], ...] = (Calendar, Level, Profile, SeasonalBaseline, Width)
"""Dataclasses that a fitted detector is made of, beside arrays and numbers: what a snapshot may hold."""

__all__ = ["DETECTORS", "FITTED", "Band", "Baseline", "Detector", "SeasonalBaseline"]
