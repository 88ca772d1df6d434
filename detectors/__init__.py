"""Is it strange?"""

from detectors.base import Band, Baseline, Detector
from detectors.seasonal import SeasonalBaseline

DETECTORS: dict[str, type[Detector]] = {"seasonal": SeasonalBaseline}
"""Public name to class, as a configuration names it."""

__all__ = ["DETECTORS", "Band", "Baseline", "Detector", "SeasonalBaseline"]
