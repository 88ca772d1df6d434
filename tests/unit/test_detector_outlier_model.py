"""Estimators of other libraries judge like any detector."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from detectors.outlier_model import ESTIMATORS, OutlierModel
from tests.contract.detector_checks import CHECKS, busy, split

# Each fit takes seconds; these promises depend on the estimators, the others on what all detectors share.
PROMISES = {
    "check_never_looks_ahead",
    "check_no_series_is_an_answer_too",
    "check_no_warning_on_hostile_input",
    "check_same_answer_twice",
}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_outage_stands_out_and_ordinary_steps_do_not(estimator: str) -> None:
    pytest.importorskip(ESTIMATORS[estimator][0])
    history, window = split(busy(n_series=1, days=4))
    fitted = OutlierModel(estimator=estimator).fit(history)
    scores = fitted.score(window.until(40))
    strange = window.until(40)
    strange.values[:, 20:] *= 8
    assert np.nanmedian(scores) < 0.8
    found = fitted.score(strange)
    # Histograms know no distance beyond the history: there an outage only stands out from what was before.
    assert np.nanmax(found[:, 20:]) > max(0.3, 2 * np.nanmax(found[:, :20]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("check", [check for check in CHECKS if check.__name__ in PROMISES])
def test_promise(check: Callable[[Any], None], estimator: str) -> None:
    pytest.importorskip(ESTIMATORS[estimator][0])
    check(partial(OutlierModel, estimator=estimator))


def test_an_estimator_learns_from_no_more_windows_than_it_may() -> None:
    pytest.importorskip("sklearn")
    history, _ = split(busy(n_series=1, days=4))
    fitted = OutlierModel(estimator="one_class_svm", examples=50).fit(history)
    assert fitted.models_[0].shape_fit_ == (50, 12)


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("OutlierModel.estimator must be one of isolation_forest, ")):
        OutlierModel(estimator="magic")
