"""Finds the series that is asked about, and its samples as they were judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from exporter.cycle import QueryCycle
from exporter.duration import Duration
from exporter.lookup import Desk, NotYet, Places, only_row
from exporter.models.fit_schedule import FitSchedule
from exporter.pages.curves import chosen_columns, close_ups
from exporter.published import published_key
from exporter.series_page.fits import Fits
from exporter.series_page.past import Past, judged_past, learn_past
from series import FloatArray, SeriesKey, Window
from series.matcher import Matcher

DEFAULT_RANGE = Duration(2 * 86_400)


class SeriesDesk(Desk):
    """Answers what a series did."""

    def __init__(self, cycles: Callable[[], Mapping[str, QueryCycle]]) -> None:
        super().__init__(cycles)
        self._places = Places(2, "series are being judged again")
        self._fits = Fits()

    def samples(self, query: str, matchers: Sequence[Matcher], span: float) -> Window:
        """Samples of one series over the last `span` seconds of the kept history.

        Raises
        ------
        NotKnown
            For a query or series that is not there.
        NotYet
            Before there are two steps.
        ValueError
            Where the matchers mean several series.
        """
        window, first = self._kept(self.cycle(query), matchers, span)
        return window.since(first)

    def history(self, query: str, matchers: Sequence[Matcher], span: float) -> dict[str, Any]:
        """Samples, band, scores and alarms of one series, as JSON can hold them once NaN is null.

        Steps are judged again by what was known before each. Where a screen cannot show all steps, the lowest, the
        highest and the strangest of each stretch are kept, and all around alarms.

        Raises
        ------
        NotKnown, NotYet, ValueError
            As of `samples`.
        Busy
            While others are being answered.
        """
        cycle = self.cycle(query)
        window, first, schedule = self._past(cycle, matchers, span)
        with self._places.one():
            past = judged_past(cycle.plan, schedule, cycle.held_back, window, first, self._fits)
        return {"query": query, "labels": dict(published_key(window.keys[0]).pairs)} | _told(past, window.step)

    def prepare(self, query: str, matchers: Sequence[Matcher], span: float) -> None:
        """Fit the detectors that `history` of the same will ask for. Raises as `samples`."""
        cycle = self.cycle(query)
        window, first, schedule = self._past(cycle, matchers, span)
        learn_past(cycle.plan, schedule, cycle.held_back, window, first, self._fits)

    def _past(self, cycle: QueryCycle, matchers: Sequence[Matcher], span: float) -> tuple[Window, int, FitSchedule]:
        window, first = self._kept(cycle, matchers, span)
        if (schedule := cycle.detector.schedule(window.keys[0])) is None:
            raise NotYet(f"{cycle.query.name} must have been judged once. Got no finished cycle yet.")
        return window, first, schedule

    def _kept(self, cycle: QueryCycle, matchers: Sequence[Matcher], span: float) -> tuple[Window, int]:
        """The whole history of the series up to its query's last judged step, and where the span begins."""
        told = cycle.calling.told
        if told is None:
            raise NotYet(f"{cycle.query.name} must have been judged once. Got no finished cycle yet.")
        key: SeriesKey = told.seen.keys[only_row(told.seen.keys, matchers, cycle.query.name)]
        copied = cycle.store.copy([key])
        if copied is None or not copied.n_series or copied.n_steps < 2:
            raise NotYet(f"{published_key(key)!r} must have samples. Got none in the history.")
        until = int(np.searchsorted(copied.times, told.time, side="right"))
        window = copied.until(max(until, 2))
        known = np.flatnonzero(np.isfinite(window.values[0]))
        start = max(float(window.times[-1]) - span, float(window.times[known[0]]) if len(known) else 0.0)
        first = min(int(np.searchsorted(window.times, start)), window.n_steps - 2)
        return Window(window.keys, window.times, np.asarray(window.values, dtype=np.float64)), first


def _told(past: Past, step: float) -> dict[str, Any]:
    columns = chosen_columns(past.curves, close_ups(past.alarms, past.times, step))
    band = past.curves.band
    parts: dict[str, FloatArray] = {
        "times": past.times,
        "values": past.curves.values,
        "expected": band.middle,
        "lower": band.lower,
        "upper": band.upper,
        "scores": past.curves.scores,
    }
    return {
        "step": step,
        "learnedEvery": past.learned_every,
        **{name: part[columns] for name, part in parts.items()},
        "alarms": [
            {"begin": one.start, "end": one.end, "peak": one.peak, "score": one.score, "value": one.value}
            | {"expected": one.expected, "lower": one.lower, "upper": one.upper}
            for one in past.alarms
        ],
    }
