"""Which series are meant, as PromQL and Alertmanager write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from series.key import escape

_STRING = r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'"
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ONE = re.compile(rf"\s*({_PLAIN.pattern}|{_STRING})\s*(=~|!~|!=|=)\s*({_STRING})\s*(,|$)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
OPERATORS = ("=", "!=", "=~", "!~")


@dataclass(frozen=True)
class Matcher:
    """A condition on one label.

    Regular expressions are RE2's, anchored at both ends, as in Prometheus: their time is bounded by the length of
    the value, so nobody can stop the process by writing one.

    Parameters
    ----------
    label : str
    operator : {"=", "!=", "=~", "!~"}
    value : str

    Raises
    ------
    ValueError
        For another operator, or a value that is no regular expression where one must be.

    Examples
    --------
    >>> Matcher("job", "=~", "api|web").matches("web"), Matcher("job", "!=", "api").matches("")
    (True, True)
    >>> print(Matcher("job", "!~", "a.*"))
    job!~"a.*"
    """

    label: str
    operator: str
    value: str
    _holds: Callable[[str], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(f"a matcher's operator must be one of {' '.join(OPERATORS)}. Got {self.operator!r}.")
        object.__setattr__(self, "_holds", _predicate(self.operator, self.value))

    def matches(self, value: str) -> bool:
        """True if a series with this value of the label, empty where it has none, is meant."""
        return self._holds(value)

    def __str__(self) -> str:
        # Prometheus 3 puts names in quotation marks that are not of plain letters.
        label = self.label if _PLAIN.fullmatch(self.label) else f'"{escape(self.label)}"'
        return f'{label}{self.operator}"{escape(self.value)}"'


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    r"""Read ``{label="x", other!="y", third=~"a|b"}``, with or without braces.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> [str(matcher) for matcher in parse_matchers('{job="api", zone!~"eu-.*"}')]
    ['job="api"', 'zone!~"eu-.*"']
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    found, at = [], 0
    while at < len(inner):
        one = _ONE.match(inner, at)
        if not one:
            raise ValueError(f'matchers must look like {{label="x", other=~"a|b"}}. Got {text[:200]!r}.')
        label = _unquoted(one[1]) if one[1][0] in "\"'" else one[1]
        found.append(Matcher(label, one[2], _unquoted(one[3])))
        at = one.end()
    return tuple(found)


def written(matchers: tuple[Matcher, ...]) -> str:
    """The text that `parse_matchers` reads."""
    return "{" + ", ".join(map(str, matchers)) + "}"


def _predicate(operator: str, value: str) -> Callable[[str], bool]:
    if operator == "=":
        return value.__eq__
    if operator == "!=":
        return value.__ne__
    pattern = _compiled(value)
    if operator == "=~":
        return lambda text: pattern.fullmatch(text) is not None
    return lambda text: pattern.fullmatch(text) is None


@lru_cache(maxsize=1_024)
def _compiled(value: str) -> re.Pattern[str]:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # as Prometheus: (?s)
    try:
        pattern: re.Pattern[str] = re2.compile(value, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"a matcher's value must be a regular expression (RE2). Got {value[:200]!r}.") from error
    return pattern


def _unquoted(literal: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), literal[1:-1])
