"""Why a series was not judged."""

from enum import StrEnum


class Reason(StrEnum):
    """The closed list of reasons why one series of a query was left out or only warms up.

    What stops a whole cycle is an exception (`sources.errors`); what skips one series is one of these,
    counted in ``forethought_skipped_series{reason}``.
    """

    WARMING_UP = "warming_up"
    """Too little history yet, or too many gaps in it, to say what is normal."""
    NO_SAMPLE = "no_sample"
    """No sample in the last complete step: the output stops with the input."""
    NOT_FINITE = "not_finite"
    """The last complete sample is NaN or infinite."""
    HISTOGRAM = "histogram"
    """The query returned a native histogram; a number is needed, e.g. by histogram_quantile()."""
    DUPLICATE = "duplicate"
    """Its label set is that of another series of the same query."""
