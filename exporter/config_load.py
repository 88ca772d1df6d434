"""From a file to a `Configuration`, or to one clear line for each mistake."""

from __future__ import annotations

import difflib
import re
import typing
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from exporter.config import Configuration
from exporter.config_file import ConfigError, Document, Path, dotted, read_document

_EXPECTED = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "path_type": "must be the path of a file",
}


def load_config(path: FilePath) -> Configuration:
    """Read and check a configuration file.

    Raises
    ------
    ConfigError
        With one line for each mistake: ``file:line: key.path: what must be. Got what was found.``
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: must be UTF-8 text. Got byte {error.object[error.start]:#04x}.") from error
    return parse_config(str(path), text)


def parse_config(file: str, text: str) -> Configuration:
    """Check configuration text; `file` names it in messages. Raises as `load_config`."""
    document = read_document(file, text)
    if document.data is None:
        raise ConfigError(f"{file}:1: is empty. At least one entry under `queries` is needed.")
    try:
        return Configuration.model_validate(document.data)
    except ValidationError as error:
        mistakes = [details for details in error.errors(include_url=False) if not _is_inherited(document, details)]
        raise ConfigError(*dict.fromkeys(_line(document, details) for details in mistakes)) from None


def _is_inherited(document: Document, error: ErrorDetails) -> bool:
    """Tell a mistake under `defaults` that a query only repeats: it is not in the file where it is found."""
    path = _path(error)
    return path[:1] == ("queries",) and error["type"] != "missing" and path not in document.lines


def _path(error: ErrorDetails) -> Path:
    return tuple(part for part in error["loc"] if part != "function-after")


def _line(document: Document, error: ErrorDetails) -> str:
    path = _path(error)
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return document.place(path) + ": is not a known key." + _suggestion(path)
    if kind == "missing":
        return document.place(path) + ": is missing, and has no default."
    if kind == "value_error":
        return f"{document.place(path)}: {error['ctx']['error']}"
    if kind in _EXPECTED:
        return f"{document.place(path)}: {_EXPECTED[kind]}. Got {_shown(given, path)}."
    message = error["msg"][0].lower() + error["msg"][1:]
    meant = _meant(given, error["ctx"]["expected"]) if kind == "literal_error" else ""
    return f"{document.place(path)}: {message.replace('input should', 'must')}. Got {_shown(given, path)}.{meant}"


def _meant(given: object, expected: str) -> str:
    close = difflib.get_close_matches(str(given).lower(), re.findall(r"'([^']*)'", expected), n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def _shown(value: object, path: Path) -> str:
    if value is not None and "headers" in path:  # it may be a secret
        return f"a {type(value).__name__}"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _suggestion(path: Path) -> str:
    model = _model_at(path[:-1])
    if model is None:
        return ""
    here = [*model.model_fields]
    if close := difflib.get_close_matches(str(path[-1]), here, n=1, cutoff=0.6):
        return f" Did you mean {dotted((*path[:-1], close[0]))}?"
    return f" Known keys: {', '.join(sorted(here))}."


def _model_at(path: Path) -> type[BaseModel] | None:
    """Find the section a path leads to."""
    model: type[BaseModel] = Configuration
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
