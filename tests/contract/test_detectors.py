"""Every detector keeps every promise of `detectors.base`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors import DETECTORS, WindowPca
from detectors.beside import Beside
from detectors.forecast_residual import ForecastResidual
from detectors.seasonal import SeasonalBaseline
from tests.contract.detector_checks import CHECKS, busy, check_arguments_are_keyword_only_and_kept, hostile, split

BLIND = "ranks know no distance beyond the history, and what was rare in it hides what is rarer"
KNOWN_FAILURES = {(name, "an_outage_stands_out"): BLIND for name in ("ecod", "copod")}
KNOWN_FAILURES["extremes", "an_outage_stands_out"] = "five times what a night has is what a busy day has"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", DETECTORS)
def test_promise(name: str, check: Callable[[type[Any]], None], request: pytest.FixtureRequest) -> None:
    if reason := KNOWN_FAILURES.get((name, check.__name__.removeprefix("check_"))):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    check(DETECTORS[name])


# All but the one about defaults, as this one has none.
BESIDE = [check for check in CHECKS if check is not check_arguments_are_keyword_only_and_kept]


@pytest.mark.parametrize("check", BESIDE, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("kind", [WindowPca, ForecastResidual], ids=["only scores", "also expects"])
def test_promise_with_a_baseline_beside(kind: type[Any], check: Callable[[Any], None]) -> None:
    check(lambda: Beside(detector=kind(), baseline=SeasonalBaseline()))


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("direction", "up", "SeasonalBaseline.direction must be both, above or below. Got 'up'."),
        ("timezone", "Mars/Base", "timezone must be an IANA name such as Europe/Berlin. Got 'Mars/Base'."),
        ("minimum_absolute", -1.0, "SeasonalBaseline.minimum_absolute must be 0 or more. Got -1.0."),
        ("minimum_relative", float("nan"), "SeasonalBaseline.minimum_relative must be 0 or more. Got nan."),
        ("rate", 0.0, "SeasonalBaseline.rate must be above 0. Got 0.0."),
        ("narrowest", float("inf"), "SeasonalBaseline.narrowest must be above 0. Got inf."),
        ("memory", -5.0, "SeasonalBaseline.memory must be above 0. Got -5.0."),
        ("warm_up", -1.0, "SeasonalBaseline.warm_up must be 0 or more. Got -1.0."),
        ("fewest", 1, "SeasonalBaseline.fewest must be 2 or more. Got 1."),
        ("most_missing", 1.0, "SeasonalBaseline.most_missing must be from 0 to below 1. Got 1.0."),
    ],
)
def test_bad_arguments_are_refused_in_the_constructor(argument: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        SeasonalBaseline(**{argument: value})


@pytest.mark.parametrize("window", [busy(), hostile(2100)], ids=["busy", "hostile"])
@pytest.mark.parametrize("options", [{}, {"direction": "above"}, {"minimum_absolute": 20.0, "minimum_relative": 0.3}])
def test_a_score_above_1_means_outside_of_the_band(window: Any, options: dict[str, Any]) -> None:
    history, now = split(window, 0.9)
    baseline = SeasonalBaseline(**options).fit(history)
    band, scores = baseline.expect(now), baseline.score(now)
    outside = now.values > band.upper
    if baseline.direction == "both":
        outside |= now.values < band.lower
    known = ~np.isnan(now.values)
    np.testing.assert_array_equal((scores > 1)[known], outside[known])
    judged = ~baseline.warming_up_
    assert np.isnan(band.expected[~judged]).all()
    assert (band.lower[judged] <= band.expected[judged]).all()
    assert (band.expected[judged] <= band.upper[judged]).all()
