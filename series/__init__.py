"""The vocabulary: keys, windows, grids, calendars and reasons. Imports nothing of ours."""

from series.calendar import Calendar
from series.grid import Grid, onto_grid
from series.key import SeriesKey
from series.reason import Reason
from series.window import BoolArray, FloatArray, Window

__all__ = ["BoolArray", "Calendar", "FloatArray", "Grid", "Reason", "SeriesKey", "Window", "onto_grid"]
