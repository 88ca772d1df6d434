"""Histories and targets from random origins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.forecasting_cut import cut

HOUR, DAY = pd.Timedelta("1h"), pd.Timedelta("1D")


def hours(n: int) -> pd.Series:
    return pd.Series(np.arange(float(n)), pd.date_range("2024-01-01", periods=n, freq="h"))


def test_each_origin_has_its_whole_history_and_target() -> None:
    parts = list(cut("a", hours(500), HOUR, 3 * DAY, DAY, 4, np.random.default_rng(1)))
    assert len({part["series"].iloc[0] for part in parts}) == 4
    for part in parts:
        assert part["split"].value_counts().to_dict() == {"history": 72, "target": 24}
        assert (part["value"].diff().dropna() == 1).all()
        assert part["split"].tolist() == ["history"] * 72 + ["target"] * 24


def test_longer_steps_are_means_and_a_short_series_gives_nothing() -> None:
    [part] = cut("a", hours(10 * 24), DAY, 8 * DAY, 2 * DAY, 3, np.random.default_rng(1))
    assert part["value"].iloc[0] == 11.5
    assert list(cut("a", hours(100), HOUR, 4 * DAY, DAY, 3, np.random.default_rng(1))) == []


def test_the_same_seed_draws_the_same_origins() -> None:
    first, second = (pd.concat(cut("a", hours(900), HOUR, 5 * DAY, DAY, 3, np.random.default_rng(7))) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
