"""A detector by its name, those of other libraries included."""

from __future__ import annotations

from dataclasses import fields
from importlib.util import find_spec
from typing import Any, cast

from detectors import DETECTORS
from detectors.autoencoder import Autoencoder
from detectors.base import Detector
from detectors.decomposition import StlResidual
from detectors.outlier_model import ESTIMATORS, OutlierModel

BY_NAME: dict[str, type[Detector]] = {
    **DETECTORS,
    "stl": StlResidual,
    "autoencoder": Autoencoder,
    **dict.fromkeys(ESTIMATORS, OutlierModel),
}
"""Public name to class, as a configuration names it."""

# What has to be installed, with `pip install forethought[outliers]`.
NEEDS = {
    "stl": "statsmodels",
    "autoencoder": "sklearn",
    **{name: module.split(".")[0] for name, (module, _, _) in ESTIMATORS.items()},
}


def available() -> tuple[str, ...]:
    """Names that `by_name` takes with the libraries that are installed."""
    return tuple(name for name in BY_NAME if name not in NEEDS or find_spec(NEEDS[name]))


def by_name(name: str, **arguments: Any) -> Detector:
    """Make an unfitted detector.

    Parameters
    ----------
    name : str
        Of `BY_NAME`.
    **arguments
        Those of its class; see `arguments_of`.

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
    if name not in BY_NAME:
        raise ValueError(f"A detector must be one of {', '.join(BY_NAME)}. Got {name!r}.")
    if name in NEEDS:
        require(name, NEEDS[name])
    if name in ESTIMATORS:
        arguments = {"estimator": name, **arguments}
    return BY_NAME[name](**arguments)


def arguments_of(name: str) -> frozenset[str]:
    """Names of the arguments that `by_name` takes for a detector."""
    return frozenset(field.name for field in fields(cast(Any, BY_NAME[name])))


def require(name: str, package: str) -> None:
    """Refuse a detector whose package is not installed, with the command that installs it."""
    if not find_spec(package):
        raise ModuleNotFoundError(f"detector {name} needs {package}: pip install 'forethought[outliers]'.")
