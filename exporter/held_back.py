"""What people said about the series of a query, put on its scores: verdicts, maintenance windows, silences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.ensemble import MEMBERS
from detectors.feedback import NONE, adjust, because
from detectors.verdict import About, Verdict
from detectors.weights import weights_of
from exporter.maintenance import Maintenance, MaintenanceWindow
from exporter.published import PublishedIndex
from exporter.silences.reader import Silence
from exporter.silences.silenced import AlertLabels, SilencedSeries
from exporter.verdicts.about import ALERTS
from series import BoolArray, FloatArray, SeriesKey


@dataclass(frozen=True, eq=False)
class Held:
    """Scores as people want them.

    Attributes
    ----------
    scores : (n_series, n_steps) float64
        After verdicts: 1 is the threshold again.
    quiet : (n_series, n_steps) bool
        No alarm here, whatever the score: maintenance, or, at the last step, a silence.
    reasons : dict of int to str
        By row, what changed the score of the last step or keeps it quiet, in one line. Rows without are not in it.
    """

    scores: FloatArray
    quiet: BoolArray
    reasons: dict[int, str]


@dataclass(frozen=True, kw_only=True)
class Said:
    """Where what people said is found. Each is asked in every cycle, so it must not wait.

    Attributes
    ----------
    verdicts : callable
        Gives the verdicts in force at a time, in the order they were given.
    given : callable
        Gives all verdicts that were given lately and not taken back, also those that are over.
    windows : sequence of MaintenanceWindow
    silences : callable
        Gives the silences in force now.
    labels : AlertLabels
    """

    verdicts: Callable[[float], Sequence[Verdict]] = field(default=lambda now: ())
    given: Callable[[], Sequence[Verdict]] = field(default=lambda: ())
    windows: Sequence[MaintenanceWindow] = ()
    silences: Callable[[], Sequence[Silence]] = field(default=lambda: ())
    labels: AlertLabels = field(default_factory=AlertLabels)


class HeldBack:
    """Holds the alarms of one query back where people said so.

    What it looks up for the keys is kept until they change; without anything said it costs nothing.

    Parameters
    ----------
    query : str
    said : Said
    excess : callable
        Gives the live error of each detector at a time: how many times as often as promised it called alone.
    """

    def __init__(
        self, query: str, said: Said, excess: Callable[[float], Mapping[str, float]] = lambda time: {}
    ) -> None:
        self._query, self._said, self._excess = query, said, excess
        self._forget(())

    def with_live_error(self, excess: Callable[[float], Mapping[str, float]]) -> HeldBack:
        """The same, and detectors weighed also by what they called alone."""
        return HeldBack(self._query, self._said, excess)

    def of_the_past(self) -> HeldBack:
        """The same for times past, of which a silence in force now says nothing; verdicts given are looked up once."""
        given = self._said.given()
        return HeldBack(self._query, replace(self._said, silences=lambda: (), given=lambda: given), self._excess)

    def apply(
        self,
        keys: tuple[SeriesKey, ...],
        times: FloatArray,
        scores: FloatArray,
        sides: FloatArray | None = None,
        about: About = About.PAST,
    ) -> Held:
        """Adjust the scores of steps that are new.

        Parameters
        ----------
        keys : tuple of SeriesKey, length n_series
            Of the input; another tuple whenever anything of it changes.
        times : (n_steps,) float64
            Seconds since the epoch, the last one being now.
        scores : (n_series, n_steps) float64
        sides : (n_series, n_steps) float64 or None
            Sign of each deviation, where it is known.
        about : About
            Whether the scores are about their own past or about their peers.
        """
        if keys is not self._index.keys:
            self._forget(keys)
        quiet = np.zeros(scores.shape, dtype=np.bool_)
        reasons: dict[int, str] = {}
        if not len(times) or not len(keys):
            return Held(scores, quiet, reasons)
        adjusted = self._verdicts(times, scores, sides, reasons, about)
        self._maintenance(times, quiet, reasons)
        self._silences(quiet, reasons, about)
        return Held(adjusted, quiet, reasons)

    def weights(self, time: float) -> dict[str, float]:
        """How much each detector of the ensemble counts, by what was known of its votes then; empty for equal."""
        return weights_of(self._said.given(), self._query, MEMBERS, time, self._excess(time))

    def _forget(self, keys: tuple[SeriesKey, ...]) -> None:
        self._index = PublishedIndex(keys)
        self._under: Maintenance | None = None
        self._silenced: dict[About, SilencedSeries] = {}

    def _verdicts(
        self, times: FloatArray, scores: FloatArray, sides: FloatArray | None, reasons: dict[int, str], about: About
    ) -> FloatArray:
        said = self._said.verdicts(float(times[-1]))
        given = [each for each in said if each.query in ("", self._query) and each.about in (About.ANY, about)]
        if not given:
            return scores
        changed = adjust(scores, self._index.keys, times, given, query=self._query, sides=sides, index=self._index)
        for row in np.flatnonzero(changed.reason[:, -1] != NONE).tolist():
            verdict = given[changed.reason[row, -1]]
            reasons[row] = because(verdict, float(scores[row, -1]), float(changed.scores[row, -1]))
        return changed.scores

    def _maintenance(self, times: FloatArray, quiet: BoolArray, reasons: dict[int, str]) -> None:
        if not self._said.windows:
            return
        if self._under is None:
            self._under = Maintenance(self._said.windows, self._query, self._index)
        quiet |= self._under.during(times)
        if quiet[:, -1].any():
            names = self._under.names(float(times[-1]))
            reasons |= {row: f"maintenance window {name}" for row, name in names.items()}

    def _silences(self, quiet: BoolArray, reasons: dict[int, str], about: About) -> None:
        if not (silences := self._said.silences()):
            return
        if about not in self._silenced:
            labels = replace(self._said.labels, severities=("warning",)) if about is About.PEERS else self._said.labels
            self._silenced[about] = SilencedSeries(self._index, self._query, labels, ALERTS[about])
        held = self._silenced[about].by(silences)
        quiet[list(held), -1] = True
        reasons |= {row: str(silence) for row, silence in held.items()}
