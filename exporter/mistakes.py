"""What pydantic finds wrong, in plain words: what must be, then what was got."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from exporter.config_file import Path, dotted

_TIME = "must be a date and time such as 2026-11-20T03:00:00Z"
_MAPPING = "must be a mapping of keys to values"
# By pydantic's types of errors; what is in braces is in their context.
_EXPECTED = {
    "string_type": "must be text; put it in quotes",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "enum": "must be {expected}",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "path_type": "must be the path of a file",
}


class MistakeAt(ValueError):
    """A mistake that a whole section shows, and one key of it makes.

    Attributes
    ----------
    path : tuple of str and int
        From the section to the key.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(problem)
        self.path = path


def path_of(error: ErrorDetails, *, without: Collection[str] = ("function-after",)) -> Path:
    """Where the mistake is; `without` parts that only the models know of."""
    path = tuple(part for part in error["loc"] if part not in without)
    cause = error.get("ctx", {}).get("error")
    return path + cause.path if isinstance(cause, MistakeAt) else path


def in_words(error: ErrorDetails, path: Path, root: type[BaseModel]) -> str:
    """What must be at `path` of what `root` is the model of, and what was found there, in one line."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return f"is not a known key.{_suggestion(path, root)}"
    if kind == "missing":
        return "is missing, and has no default."
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "json_invalid":
        return f"must be JSON. Got what is none: {error['ctx']['error']}."
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format(**error.get("ctx", {}))
    else:
        expected = (error["msg"][0].lower() + error["msg"][1:]).replace("input should", "must")
    meant = _meant(given, error["ctx"]["expected"]) if kind in ("literal_error", "enum") else ""
    return f"{_singular(expected)}. Got {_shown(given, path)}.{meant}"


def _singular(text: str) -> str:
    return re.sub(r"\b1 (character|entrie)s\b", lambda found: f"1 {found[1].replace('entrie', 'entry')}", text)


def _meant(given: object, expected: str) -> str:
    close = difflib.get_close_matches(str(given).lower(), re.findall(r"'([^']*)'", expected), n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def _shown(value: object, path: Path) -> str:
    if value is not None and "headers" in path:  # it may be a secret
        return f"a {type(value).__name__}"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _suggestion(path: Path, root: type[BaseModel]) -> str:
    model = _model_at(path[:-1], root)
    if model is None:
        return ""
    here = [field.alias or name for name, field in model.model_fields.items()]
    if close := difflib.get_close_matches(str(path[-1]), here, n=1, cutoff=0.6):
        return f" Did you mean {dotted((*path[:-1], close[0]))}?"
    return f" Known keys: {', '.join(sorted(here))}."


def _model_at(path: Path, root: type[BaseModel]) -> type[BaseModel] | None:
    """Find the section a path leads to."""
    model: type[BaseModel] = root
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _section_in(field.annotation) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in typing.get_args(annotation) if (found := _section_in(arg))), None)
