"""How a long range is asked for in parts."""

from __future__ import annotations

from series import Grid


class Plan:
    """What of a grid is still to be asked for, newest first."""

    def __init__(self, grid: Grid, most: int) -> None:
        self.remaining = [grid] if grid.n_steps else []
        self._most = most

    def take(self, steps: int) -> Grid:
        """Cut the newest part of at most so many steps off."""
        steps = min(steps, self._most)
        whole = self.remaining.pop()
        older = whole.n_steps - steps
        if older <= 0:
            return whole
        self.remaining.append(Grid(whole.start, whole.step, older))
        return Grid(whole.start + older * whole.step, whole.step, steps)

    def halve(self, part: Grid) -> None:
        """Ask for a part again that was too large, in smaller ones."""
        self._most = part.n_steps // 2
        self.remaining.append(part)
