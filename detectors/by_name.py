"""A detector by its name, those of other libraries included."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Any

from detectors import DETECTORS
from detectors.base import Detector
from detectors.decomposition import StlResidual
from detectors.outlier_model import ESTIMATORS, OutlierModel

# What has to be installed, with `pip install forethought[outliers]`.
NEEDS = {"stl": "statsmodels"} | {name: module.split(".")[0] for name, (module, _, _) in ESTIMATORS.items()}


def available() -> tuple[str, ...]:
    """Names that `by_name` takes with the libraries that are installed."""
    return (*DETECTORS, *(name for name, package in NEEDS.items() if find_spec(package)))


def by_name(name: str, **arguments: Any) -> Detector:
    """Make an unfitted detector.

    Parameters
    ----------
    name : str
        Of `DETECTORS`, ``stl``, or of `detectors.outlier_model.ESTIMATORS`.
    **arguments
        Those of its class.

    Raises
    ------
    ValueError
        For another name, and for arguments that the class refuses.
    ModuleNotFoundError
        Where the library behind it is not installed.

    Examples
    --------
    >>> by_name("window_pca", width=24).width
    24
    """
    if name in DETECTORS:
        return DETECTORS[name](**arguments)
    if name not in NEEDS:
        raise ValueError(f"A detector must be one of {', '.join((*DETECTORS, *NEEDS))}. Got {name!r}.")
    require(name, NEEDS[name])
    chosen = StlResidual if name == "stl" else partial(OutlierModel, estimator=name)
    return chosen(**arguments)


def require(name: str, package: str) -> None:
    """Refuse a detector whose package is not installed, with the command that installs it."""
    if not find_spec(package):
        raise ModuleNotFoundError(f"detector {name} needs {package}: pip install 'forethought[outliers]'.")
