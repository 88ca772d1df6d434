"""Finds the series that are asked about, and says what comes next and when limits will be reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from exporter.cycle import QueryCycle
from exporter.forecast_api.asked import Asked
from exporter.forecast_api.curves import curves
from exporter.forecast_api.limits import limits_of
from exporter.lookup import Desk, NotKnown, NotYet, Places
from exporter.published import meant_rows
from exporter.remembered import Remembered, Same, fingerprint
from forecasting.resample import resampled
from series import SeriesKey, Window
from series.matcher import Matcher, written

MOST_SERIES = 100
# A curve of so many values is 25 MB of text.
MOST_VALUES = 500_000
# Answers about one series that are kept: some thousand numbers each.
_KEPT = 16


class ForecastDesk(Desk):
    """Answers what comes next."""

    def __init__(self, cycles: Callable[[], Mapping[str, QueryCycle]]) -> None:
        super().__init__(cycles)
        self._places = Places(2, "forecasts are being computed")
        self._known = Remembered[dict[str, Any]](_KEPT)

    def forecast(self, asked: Asked) -> dict[str, Any]:
        """Compute the dense curves of the series that are meant, from the samples at hand.

        Raises
        ------
        NotKnown
            For a query or series that is not there.
        NotYet
            Before there are samples.
        Busy
            While others are being answered.
        ValueError
            For too many series or steps.
        """
        cycle = self.cycle(asked.query)
        plan = cycle.plan
        steps = asked.steps_of(plan.step, cycle.query.forecast.horizons)
        keys = _meant(cycle.store.keys, asked.matchers, asked.query, most=min(MOST_SERIES, MOST_VALUES // steps))
        history = _history(cycle, keys)
        basis = (Same(plan), fingerprint(history), asked, steps) if len(keys) == 1 else None
        told = self._known.at_hand(basis) if basis else None
        if told is None:
            with self._places.one():  # also to wait for one who computes the same
                compute = partial(_curves, history, asked, cycle, steps)
                told = self._known.get(basis, compute) if basis else compute()
        return {"query": asked.query} | told

    def capacity(self, query: str, matchers: tuple[Matcher, ...] = ()) -> dict[str, Any]:
        """What is known of the limits of a query's series: when they will be reached, and what to do about it.

        Raises
        ------
        NotKnown
            For a query that is not there or has no limits.
        """
        cycle = self.cycle(query)
        if cycle.capacity is None:
            raise NotKnown(f"query must be one with limits. {query} has none.")
        found, told = [], cycle.calling.told
        values = dict(zip(told.seen.keys, told.seen.value.tolist(), strict=True)) if told else {}
        now = told.time if told else -math.inf
        for keys, states in cycle.capacity.all():
            for row in meant_rows(keys, matchers):
                value = values.get(keys[row], math.nan)
                found.append(limits_of(cycle, keys[row], states, row, value, now))
        return {"query": query, "series": sorted(found, key=_soonest)}


def _curves(history: Window, asked: Asked, cycle: QueryCycle, steps: int) -> dict[str, Any]:
    coverage = asked.coverage or cycle.plan.coverage
    return curves(_coarser(history, asked), cycle.plan, steps=steps, coverage=coverage, per=asked.per, whole=history)


def _meant(
    keys: tuple[SeriesKey, ...], matchers: tuple[Matcher, ...], query: str, *, most: int
) -> tuple[SeriesKey, ...]:
    rows = meant_rows(keys, matchers)
    if not keys:
        raise NotKnown(f"{query} must have series. Got none yet.")
    if not rows:
        raise NotKnown(
            f"series must be some of the {len(keys)} of {query}. Got {written(matchers)}, which none of them has."
        )
    if len(rows) > most:
        raise ValueError(
            f"series must mean at most {most} series ({MOST_SERIES}, and {MOST_VALUES} values in all). "
            f"Got {written(matchers)}, which means {len(rows)}."
        )
    return tuple(keys[row] for row in rows)


def _history(cycle: QueryCycle, keys: tuple[SeriesKey, ...]) -> Window:
    """Samples up to the last step that has any: the newest may just be on its way."""
    copied = cycle.store.copy(keys)
    known = np.flatnonzero(np.isfinite(copied.values).any(axis=0)) if copied and copied.n_series else np.empty(0)
    if copied is None or not len(known) or known[-1] < 1:
        raise NotYet(f"{cycle.query.name} must have samples. Got none yet.")
    history = copied.until(int(known[-1]) + 1)
    return Window(history.keys, history.times, np.asarray(history.values, dtype=np.float64))


def _coarser(history: Window, asked: Asked) -> Window:
    """The steps that are to be continued."""
    part = resampled(history, int(asked.step_of(history.step)), asked.summary)
    if part.n_steps < 2:
        raise NotYet(f"{asked.query} must have two steps of {asked.step}. Got fewer.")
    return part


def _soonest(series: dict[str, Any]) -> float:
    times = [-math.inf if limit["passed"] else limit["time"] for limit in series["limits"]]
    return min((time for time in times if not math.isnan(time)), default=math.inf)
