"""Arguments are refused where they are given, in words that name them."""

from __future__ import annotations

import math


def at_least(model: object, **least: float) -> None:
    """Refuse arguments of `model` that are below what is named, or endless."""
    for name, bound in least.items():
        value = getattr(model, name)
        if not bound <= value < math.inf:
            raise ValueError(f"{type(model).__name__}.{name} must be {bound:g} or more. Got {value!r}.")


def above(model: object, **bounds: float) -> None:
    """Refuse arguments of `model` that are not above what is named, or endless."""
    for name, bound in bounds.items():
        value = getattr(model, name)
        if not bound < value < math.inf:
            raise ValueError(f"{type(model).__name__}.{name} must be above {bound:g}. Got {value!r}.")


def share(model: object, name: str) -> None:
    """Refuse an argument that is no share below 1."""
    value = getattr(model, name)
    if not 0 <= value < 1:
        raise ValueError(f"{type(model).__name__}.{name} must be from 0 to below 1. Got {value!r}.")
