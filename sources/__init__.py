"""Samples come in: PromQL over HTTP, or a file."""

from sources.base import Answer, MetricSource
from sources.errors import AnswerIncomplete, QueryRefused, QueryTooLarge, SourceError, SourceUnavailable

__all__ = [
    "Answer",
    "AnswerIncomplete",
    "MetricSource",
    "QueryRefused",
    "QueryTooLarge",
    "SourceError",
    "SourceUnavailable",
]
