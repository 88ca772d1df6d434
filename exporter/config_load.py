"""From a file to a `Configuration`, or to one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path as FilePath

from pydantic import ValidationError

from exporter.config import Configuration
from exporter.config_file import ConfigError, Document, Path, read_document
from exporter.mistakes import in_words, path_of


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
        mistakes = [(path_of(details), details) for details in error.errors(include_url=False)]
        paths = {path for path, _ in mistakes}
        lines = [
            f"{document.place(_written(document, path))}: {in_words(details, path, Configuration)}"
            for path, details in mistakes
            if path in document.lines or _default_of(path) not in paths
        ]
        raise ConfigError(*dict.fromkeys(lines)) from None


def _default_of(path: Path) -> Path | None:
    """Where `defaults` would say what a query says at `path`: a mistake there is repeated by each query."""
    return ("defaults", *path[2:]) if path[:1] == ("queries",) and len(path) > 2 else None


def _written(document: Document, path: Path) -> Path:
    """Where the value at `path` stands in the file: that of a query may be inherited."""
    default = _default_of(path)
    return default if default in document.lines and path not in document.lines else path
