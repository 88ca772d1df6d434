"""Durations as Prometheus writes them: ``30s``, ``5m``, ``1h30m``, ``14d``."""

from __future__ import annotations

import re
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
# A hundred years; calendars of the libraries below end somewhere behind it.
_MOST = 5_200 * 604_800
_PATTERN = re.compile("".join(rf"(?:(?P<{unit}>\d+){unit})?" for unit in _UNITS))


class Duration(int):
    """A whole number of seconds that reads and writes itself with units.

    A bare number is refused: nobody should have to know whether 300 means seconds or milliseconds.

    Examples
    --------
    >>> Duration.parse("1h30m"), str(Duration(5400)), str(Duration(14 * 86_400))
    (5400, '1h30m', '2w')
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1h30m``.

        Raises
        ------
        ValueError
            Where the text is no duration of 0 seconds or more, or above a hundred years.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None or not text.strip():
            raise ValueError(f"must be a duration with a unit, such as 30s, 5m, 1h30m or 14d. Got {text!r}.")
        total = sum(int((match[unit] or "0")[:20]) * seconds for unit, seconds in _UNITS.items())
        if total > _MOST:
            raise ValueError(f"must be at most {_MOST // 604_800}w. Got {text[:40]!r}.")
        return cls(total)

    def __str__(self) -> str:
        rest, text = int(self), ""
        for unit, seconds in _UNITS.items():
            if unit == "w" and rest % seconds:
                continue  # as Prometheus writes it: 30d, not 4w2d
            count, rest = divmod(rest, seconds)
            text += f"{count}{unit}" if count else ""
        return text or "0s"

    __repr__ = __str__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", "examples": ["5m", "14d"]}

    @classmethod
    def _validate(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        raise ValueError(f"must be a duration with a unit, such as 30s, 5m, 1h30m or 14d. Got {value!r}.")
