"""Do the metrics of a group still follow from each other?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from detectors.calibrate import exceeded
from detectors.phase import IntArray
from detectors.robust import quantile
from detectors.samples import filled, finite
from series import FloatArray

# Usual deviations of a metric at which a sample is cut, so that an incident in the history bends no coefficient.
LARGEST_DEVIATION = 10.0
# Errors are measured by what a tenth of the history exceeds. A score counts as that at least: metrics that stand
# still together, as in an outage, follow from each other perfectly, and that is no sign of health.
ORDINARY = 0.9
# An error is cut at this many times what a tenth exceeds.
LARGEST_ERROR = 10.0
# Share of the mean variance that is added to each: metrics that say the same twice share their weight.
RIDGE = 0.01
# An error may be of one step, and an alarm looks at three (`detectors.suppress`).
STEPS = 3
# Samples a coefficient must have: below it the errors of the history are too small to compare with.
SAMPLES = 10
# One alone follows from nothing; the inverse of many would cost more than all else of a fit.
FEWEST_METRICS, MOST_METRICS = 2, 100
# Thresholds a score counts at most.
LARGEST_SCORE = 5.0


@dataclass(frozen=True, eq=False)
class Conditional:
    r"""How far the metrics of a group are from what all others and the step before say of them.

    More load moves all metrics of a service along, and each is strange by itself; a broken service moves one without
    the others, and each may be ordinary. So each metric is predicted from all others at the same step and from all
    of them one step before, by one ridge regression each. All follow from one matrix: with the covariance
    :math:`C` of the samples of two steps :math:`z` and :math:`P = (C + \lambda I)^{-1}`, the error of metric
    :math:`i` is :math:`(P z)_i / P_{ii}`. The score is the root mean square of the errors, over the metrics and the
    last three steps, as a ratio to what the history exceeds. A missing sample counts as the one before it.

    Attributes
    ----------
    metrics : (n,) intp
        Those of the group that vary.
    center, spread : (n, 1) float64
        Of their samples.
    weights : (n, 2n) float64
        From the samples of a step and of the one before to the errors of the step, each in units of what a tenth of
        the history exceeds.
    offset : (n, 1) float64
        What to subtract.
    scale : float
        What the root mean square is divided by.
    least : float
        Score that every step has.
    before : (n, 3) float64
        The last samples, in usual deviations.

    References
    ----------
    Lauritzen (1996), Graphical Models, chapter 5: regressions from the inverse covariance.
    """

    metrics: IntArray
    center: FloatArray
    spread: FloatArray
    weights: FloatArray
    offset: FloatArray
    scale: float
    least: float
    before: FloatArray

    @classmethod
    def learn(cls, values: FloatArray, step: float, *, rate: float) -> tuple[Self, FloatArray] | None:
        """Learn from a history, and score it.

        Parameters
        ----------
        values : (n_metrics, n_steps) float64
            NaN where there is no sample.
        step : float
            Seconds.
        rate : float
            Times a day that an ordinary group may score above 1.

        Returns
        -------
        (Conditional, (n_steps,) float64) or None
            None where fewer than two metrics vary, more than a hundred do, or the history is too short for them.
        """
        n_steps = values.shape[1]
        if n_steps < SAMPLES * 2 * FEWEST_METRICS:
            return None
        known = filled(values)
        center, spread = _usual(known)
        metrics = np.flatnonzero(spread[:, 0] > 0)
        if not FEWEST_METRICS <= len(metrics) <= MOST_METRICS or n_steps < SAMPLES * 2 * len(metrics):
            return None
        center, spread = center[metrics], spread[metrics]
        samples = _cut((known[metrics] - center) / spread)
        first = np.repeat(samples[:, :1], STEPS, axis=1)
        weights, offset = _regressions(_pairs(np.concatenate([first[:, :1], samples], axis=1)))
        fitted = cls(metrics, center, spread, weights, offset, 1.0, 0.0, first)
        power = fitted._power(samples)
        scale = float(exceeded(power[None], step, rate)[0])
        if not scale > 0:
            return None
        least = float(quantile(power, ORDINARY)) / scale
        fitted = replace(fitted, scale=scale, least=least, before=samples[:, -STEPS:])
        return fitted, fitted._bounded(power)

    def score(self, values: FloatArray) -> FloatArray:
        """(n_steps,) from the samples (n_metrics, n_steps) right after the last that are known; 1 is the threshold."""
        return self._bounded(self._power(self._after(values)[:, STEPS:]))

    def advance(self, values: FloatArray) -> Self:
        """Take note of samples (n_metrics, n_steps) that will not change any more."""
        return replace(self, before=self._after(values)[:, -STEPS:])

    def _after(self, values: FloatArray) -> FloatArray:
        """(n, 3 + n_steps): the last samples known and these, in usual deviations."""
        samples = _cut((finite(values[self.metrics]) - self.center) / self.spread)
        return filled(np.concatenate([self.before, samples], axis=1))

    def _power(self, samples: FloatArray) -> FloatArray:
        """(n_steps,): root mean square error, over the metrics and the last steps."""
        pairs = _pairs(np.concatenate([self.before, samples], axis=1))
        errors = np.minimum(np.abs(self.weights @ pairs - self.offset), LARGEST_ERROR)
        squares = (errors**2).mean(axis=0)
        n_steps = samples.shape[1]
        return np.asarray(np.sqrt(sum(squares[first : first + n_steps] for first in range(STEPS)) / STEPS))

    def _bounded(self, power: FloatArray) -> FloatArray:
        return np.asarray(np.clip(power / self.scale, self.least, LARGEST_SCORE))


def _usual(known: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Center and spread (n_metrics, 1) of samples without gaps; a spread of 0 where a metric does not vary."""
    center = quantile(known, 0.5)
    # For normal samples the quartiles are 1.349 deviations apart; of a metric that mostly rests they say nothing.
    spread = np.maximum((quantile(known, 0.75) - quantile(known, 0.25)) / 1.349, 0.25 * known.std(axis=1))
    varies = spread > 1e-6 * np.abs(center) + 1e-12
    return center[:, None], np.where(varies, spread, 0.0)[:, None]


def _regressions(pairs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights (n, 2n) and offsets (n, 1) that give the errors of the first n rows of `pairs` (2n, n_steps)."""
    n = len(pairs) // 2
    mean = pairs.mean(axis=1, keepdims=True)
    apart = pairs - mean
    covariance = apart @ apart.T / pairs.shape[1]
    ridge = RIDGE * np.trace(covariance) / len(pairs)
    precision = np.linalg.inv(covariance + ridge * np.eye(len(pairs)))
    weights = precision[:n] / np.diag(precision)[:n, None]
    usual = np.maximum(quantile(np.abs(weights @ apart), ORDINARY), 1e-9)[:, None]
    weights = weights / usual
    return weights, weights @ mean


def _pairs(samples: FloatArray) -> FloatArray:
    """(2n, n_steps - 1): the samples of each step but the first, then those of the step before."""
    return np.concatenate([samples[:, 1:], samples[:, :-1]])


def _cut(samples: FloatArray) -> FloatArray:
    return np.asarray(np.clip(samples, -LARGEST_DEVIATION, LARGEST_DEVIATION))
