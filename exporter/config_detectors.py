"""The detectors that a query may name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

Detector = Literal[
    "ensemble",
    "seasonal",
    "extremes",
    "window_pca",
    "nearest_window",
    "autoregression",
    "ewma",
    "cusum",
    "quantile_band",
    "iqr",
    "forecast_residual",
    "spectral_residual",
    "ecod",
    "copod",
    "stl",
    "autoencoder",
    "isolation_forest",
    "local_outlier_factor",
    "one_class_svm",
    "hbos",
    "knn",
]


def _installed(name: Detector) -> Detector:
    from detectors.by_name import NEEDS, require  # all detectors: only where one is named

    if name in NEEDS:
        try:
            require(name, NEEDS[name])
        except ModuleNotFoundError as error:
            raise ValueError(str(error)) from error
    return name


ConfiguredDetector = Annotated[Detector, AfterValidator(_installed)]
"""A detector whose library is there; refused with what to install."""
