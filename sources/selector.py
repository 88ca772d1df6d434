"""A plain PromQL selector, for series that lie in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from series import SeriesKey
from series.key import NAME
from sources.errors import QueryRefused, shorten

_STRING = r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER = re.compile(rf"([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*({_STRING})")
_SEPARATOR = re.compile(r"\s*(,\s*)?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Selector:
    """Which series are meant: all matchers hold.

    Parameters
    ----------
    matchers : tuple of (label, predicate)
        A label that a series does not have counts as empty, as in PromQL.

    Examples
    --------
    >>> selector = Selector.parse('up{job="api", instance!~"test-.*"}')
    >>> selector.matches(SeriesKey({"__name__": "up", "job": "api", "instance": "a"}))
    True
    """

    matchers: tuple[tuple[str, Callable[[str], bool]], ...]

    @classmethod
    def parse(cls, query: str) -> Selector:
        r"""Read ``name{label="x", other!="y", third=~"a|b", fourth!~"c.*"}``; nothing at all means every series.

        Raises
        ------
        QueryRefused
            For anything else, such as functions.
        """
        text = query.strip()
        matchers: list[tuple[str, Callable[[str], bool]]] = []
        if name := _NAME.match(text):
            matchers.append((NAME, name.group().__eq__))
            text = text[name.end() :].lstrip()
        if not text:
            return cls(tuple(matchers))
        if text[0] != "{" or text[-1] != "}":
            raise _not_plain(query)
        return cls((*matchers, *_inner(query, text[1:-1].strip())))

    def matches(self, key: SeriesKey) -> bool:
        """True if the series is meant."""
        return all(holds(key.get(label)) for label, holds in self.matchers)


def _inner(query: str, text: str) -> list[tuple[str, Callable[[str], bool]]]:
    matchers = []
    at = 0
    while at < len(text):
        found = _MATCHER.match(text, at)
        if not found:
            raise _not_plain(query)
        matchers.append((found[1], _predicate(query, found[2], _unquoted(found[3]))))
        separator = _SEPARATOR.match(text, found.end())
        at = separator.end() if separator else found.end()
        if at < len(text) and not (separator and separator[1]):
            raise _not_plain(query)
    return matchers


def _predicate(query: str, operator: str, value: str) -> Callable[[str], bool]:
    if operator == "=":
        return value.__eq__
    if operator == "!=":
        return value.__ne__
    try:
        pattern = re.compile(value, re.DOTALL)
    except re.error as error:
        raise QueryRefused(
            query, f"query {shorten(query)}: {value!r} must be a regular expression. Got {error}."
        ) from error
    if operator == "=~":
        return lambda label: pattern.fullmatch(label) is not None
    return lambda label: pattern.fullmatch(label) is None


def _unquoted(literal: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), literal[1:-1])


def _not_plain(query: str) -> QueryRefused:
    return QueryRefused(
        query,
        f"query {shorten(query)}: a file is asked by a plain selector such as "
        'name{label="x"}, or by nothing for all series. Got something else.',
    )
