"""Series of a query that belong together, by the values of some labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from series import BoolArray, FloatArray, SeriesKey

Rows = npt.NDArray[np.intp]
# A series that belongs to no group that was learned.
ALONE = -1


def group_of(key: SeriesKey, labels: Sequence[str]) -> SeriesKey:
    """What the series of a group have in common.

    Examples
    --------
    >>> group_of(SeriesKey({"service": "web", "metric": "cpu"}), ["service"])
    {service="web"}
    """
    return SeriesKey((label, key.get(label)) for label in labels)


def numbered(keys: Sequence[SeriesKey], labels: Sequence[str]) -> tuple[Rows, tuple[SeriesKey, ...]]:
    """The group of each series as a number (n_series,), and the groups by their numbers, in order of appearance."""
    groups: dict[SeriesKey, int] = {}
    ids = [groups.setdefault(group_of(key, labels), len(groups)) for key in keys]
    return np.array(ids, dtype=np.intp), tuple(groups)


@dataclass(frozen=True, eq=False)
class GroupsSeen:
    """What the detectors say of groups at the newest steps.

    Attributes
    ----------
    keys : tuple of SeriesKey, length n_groups
    scores : (n_groups, n_steps) float64
        Joint score, 1 is the threshold; NaN where no member has a sample.
    member_of : (n_series,) intp
        Number of each series' group, or `ALONE`.
    contributions : (n_series,) float64
        Share of each series in what is unusual about its group at the last step; NaN where it has none.
    """

    keys: tuple[SeriesKey, ...]
    scores: FloatArray
    member_of: Rows
    contributions: FloatArray

    @classmethod
    def none(cls, n_series: int, n_steps: int) -> GroupsSeen:
        """Of a query without groups."""
        return cls((), np.empty((0, n_steps)), np.full(n_series, ALONE, dtype=np.intp), np.full(n_series, np.nan))

    def joined(
        self, keys: tuple[SeriesKey, ...], scores: FloatArray, rows: Rows, ids: Rows, part: FloatArray
    ) -> GroupsSeen:
        """With the groups of one more batch.

        Parameters
        ----------
        keys, scores
            Of these groups.
        rows : (n,) intp
            Series of the batch in the window.
        ids : (n,) intp
            Number of each one's group within the batch.
        part : (n,) float64
            Contributions.
        """
        member_of, contributions = self.member_of.copy(), self.contributions.copy()
        member_of[rows], contributions[rows] = ids + len(self.keys), part
        return GroupsSeen(self.keys + keys, np.concatenate([self.scores, scores]), member_of, contributions)

    def any_of(self, series: BoolArray) -> BoolArray:
        """(n_groups,) bool: whether some series (n_series,) of each is among those."""
        found: BoolArray = np.zeros(len(self.keys), dtype=np.bool_)
        found[self.member_of[series & (self.member_of != ALONE)]] = True
        return found

    def all_quiet(self, quiet: BoolArray) -> BoolArray:
        """(n_groups, n_steps) bool: people want nothing told of any member, by what they want of each series."""
        member = self.member_of != ALONE
        loud = np.zeros(self.scores.shape, dtype=np.intp)
        np.add.at(loud, self.member_of[member], ~quiet[member])
        return np.asarray(loud == 0, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class GroupJudgement:
    """What is said of groups at the last step: two arrays of shape (n_groups,), and contributions (n_series,).

    A group calls where none of its series does, which would say enough.
    """

    keys: tuple[SeriesKey, ...]
    score: FloatArray
    alarm: FloatArray
    contributions: FloatArray
