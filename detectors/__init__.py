"""Is it strange?"""

from typing import Any

from detectors.base import Band, Baseline, Detector
from detectors.ensemble import Ensemble
from detectors.familiar import Familiar
from detectors.group import Joint
from detectors.level import Level
from detectors.profile import Profile
from detectors.seasonal import SeasonalBaseline
from detectors.width import Width
from detectors.window_pca import WindowPca
from series import Calendar

DETECTORS: dict[str, type[Detector]] = {
    "ensemble": Ensemble,
    "seasonal": SeasonalBaseline,
    "window_pca": WindowPca,
}
"""Public name to class, as a configuration names it."""

FITTED: tuple[type[Any], ...] = (
    Calendar,
    Ensemble,
    Familiar,
    Joint,
    Level,
    Profile,
    SeasonalBaseline,
    Width,
    WindowPca,
)
"""Dataclasses that a fitted detector is made of, beside arrays and numbers: what a snapshot may hold."""

__all__ = ["DETECTORS", "FITTED", "Band", "Baseline", "Detector", "Ensemble", "SeasonalBaseline", "WindowPca"]
