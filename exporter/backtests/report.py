"""What a backtest found, ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.duration import Duration
from series import FloatArray, Reason, SeriesKey
from series.calendar import DAY


@dataclass(frozen=True, eq=False)
class Ribbon:
    """A line with a lower and an upper edge, each (n,) float64 in the unit of the series; NaN where unknown."""

    middle: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class Anomaly:
    """One stretch of steps above the threshold.

    Attributes
    ----------
    start, end : float
        First and last strange step, seconds since the epoch.
    peak : float
        The strangest step between them, seconds since the epoch.
    score : float
        The score there; above 1.
    value, expected, lower, upper : float
        The sample there and what was expected of it, in the unit of the series.
    """

    start: float
    end: float
    peak: float
    score: float
    value: float
    expected: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Curves:
    """What the plot of one series draws.

    Attributes
    ----------
    values, scores : (n_steps,) float64
    band : Ribbon of (n_steps,)
        What was expected of each step before it came.
    past : Ribbon of (n_steps,)
        What was forecast from the origins inside the window; NaN before the first, and at each origin.
    ahead : Ribbon of (steps,)
        What is forecast for the steps after the window's last.
    """

    values: FloatArray
    scores: FloatArray
    band: Ribbon
    past: Ribbon
    ahead: Ribbon


@dataclass(frozen=True, eq=False)
class SeriesResult:
    """What the backtest says of one series.

    Attributes
    ----------
    key : SeriesKey
    judged_from : float
        The first judged step, seconds since the epoch; NaN if there was none.
    judged_steps, alarm_steps, warm_up_steps : int
        Steps with a sample and a band; of these, the strange ones; steps with a sample but no band yet.
    anomalies : tuple of Anomaly
        Oldest first.
    mase : float
        Mean absolute error of the forecasts, scaled by that of repeating the day before inside the history before the
        first of them; NaN if there was none.
    coverage : float
        Share of samples inside the forecast's interval, NaN if there was none to judge.
    curves : Curves or None
        None for a series that is not drawn.
    """

    key: SeriesKey
    judged_from: float
    judged_steps: int
    alarm_steps: int
    warm_up_steps: int
    anomalies: tuple[Anomaly, ...]
    mase: float
    coverage: float
    curves: Curves | None = None

    @property
    def alarm_share(self) -> float:
        """Strange steps over judged steps, 0 where none was judged."""
        return self.alarm_steps / self.judged_steps if self.judged_steps else 0.0

    @property
    def peak_score(self) -> float:
        """The highest score of its anomalies, 0 without one."""
        return max((anomaly.score for anomaly in self.anomalies), default=0.0)

    @property
    def interest(self) -> tuple[int, float]:
        """Sorts series: the most time in alarm, then the highest peak."""
        return self.alarm_steps, self.peak_score


@dataclass(frozen=True)
class LeadError:
    """How good the forecasts were for one range of leads, over all series and origins.

    Attributes
    ----------
    above, horizon : float
        Leads in ``(above, horizon]``, seconds.
    points : int
        Forecast samples that could be compared.
    mase : float
        As in `SeriesResult`, over all series.
    yardstick : float
        The same of repeating the day before, forecast from the same origins.
    coverage : float
        Share of samples inside the interval.
    """

    above: float
    horizon: float
    points: int
    mase: float
    yardstick: float
    coverage: float


@dataclass(frozen=True, eq=False)
class BacktestReport:
    """What a backtest found.

    Attributes
    ----------
    query : str
        The PromQL expression, or the path of a file.
    times : (n_steps,) float64
        Seconds since the epoch.
    step : float
        Seconds.
    results : tuple of SeriesResult
        The most interesting first; those with curves are the first ones.
    leads : tuple of LeadError
        Shortest first.
    asked_coverage : float
        Share of samples that shall fall inside the forecast's interval.
    origins : tuple of float
        Where the past forecasts were made, seconds since the epoch.
    skipped : mapping of Reason to int
        Series the source left out.
    """

    query: str
    times: FloatArray
    step: float
    results: tuple[SeriesResult, ...]
    leads: tuple[LeadError, ...]
    asked_coverage: float
    origins: tuple[float, ...] = ()
    skipped: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def drawn(self) -> tuple[SeriesResult, ...]:
        """The results that hold curves."""
        return tuple(result for result in self.results if result.curves is not None)

    @property
    def judged_steps(self) -> int:
        """Judged steps of all series."""
        return sum(result.judged_steps for result in self.results)

    @property
    def alarms(self) -> int:
        """Anomalies of all series."""
        return sum(len(result.anomalies) for result in self.results)

    @property
    def lasting(self) -> int:
        """Anomalies that lasted longer than one step."""
        return sum(anomaly.end > anomaly.start for result in self.results for anomaly in result.anomalies)

    @property
    def alarms_per_series_day(self) -> float:
        """Anomalies a series brings a day, over the judged steps; 0 where none was judged."""
        days = self.judged_steps * self.step / DAY
        return self.alarms / days if days else 0.0

    @property
    def alarm_share(self) -> float:
        """Share of the judged steps above the threshold, 0 where none was judged."""
        steps = self.judged_steps
        return sum(result.alarm_steps for result in self.results) / steps if steps else 0.0

    @property
    def judged_from(self) -> float:
        """The first judged step of any series, seconds since the epoch; NaN if there was none."""
        return min((result.judged_from for result in self.results if result.judged_steps), default=math.nan)

    @property
    def never_judged(self) -> int:
        """Series that warmed up all through the window, or had no sample."""
        return sum(result.judged_steps == 0 for result in self.results)

    @property
    def nothing_judged(self) -> str:
        """Why no series was judged; empty where one was."""
        if self.judged_steps:
            return ""
        if not self.results:
            return "the query gave no series"
        samples = max(result.warm_up_steps for result in self.results)
        if not samples:
            return "nothing to judge, as no sample is a finite number: all are missing, NaN or infinite"
        span = Duration(int(self.times[-1] - self.times[0]))
        return (
            f"nothing to judge, as no series has more than {samples} samples, in {span}: too few to learn from; "
            "a longer range or a shorter step gives more"
        )

    @property
    def coverage(self) -> float:
        """Share of samples inside the forecasts' intervals over all leads; NaN without a forecast."""
        return _weighted([(lead.coverage, lead.points) for lead in self.leads])

    @property
    def mase(self) -> float:
        """Mean absolute scaled error over all leads; NaN without a forecast."""
        return _weighted([(lead.mase, lead.points) for lead in self.leads])

    @property
    def yardstick(self) -> float:
        """What repeating the day before reaches over all leads; NaN without a forecast."""
        return _weighted([(lead.yardstick, lead.points) for lead in self.leads])


def _weighted(pairs: list[tuple[float, int]]) -> float:
    usable = [(value, weight) for value, weight in pairs if weight and not math.isnan(value)]
    total = sum(weight for _, weight in usable)
    return sum(value * weight for value, weight in usable) / total if total else math.nan
