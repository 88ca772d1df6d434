"""Reading YAML so that nothing is guessed: doubled keys and sexagesimal numbers are refused, with their place."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

# YAML 1.1 reads 12:30 as 12 * 60 + 30 (yaml.org/type/int.html).
_SEXAGESIMAL = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?")
# A file of a few anchors can stand for billions of nodes; no configuration needs this many.
_MOST_NODES = 100_000


class ConfigError(Exception):
    """A configuration that cannot be used: one line for each mistake, each with its place.

    Attributes
    ----------
    problems : tuple of str
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Document:
    """Plain data of a YAML file, and the line each key stands on."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)

    def place(self, path: Path) -> str:
        """Give ``file:line: key.path`` for the nearest key that is in the file."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return f"{self.file}:{self.lines.get(known, 1)}: {dotted(path)}"


def dotted(path: Path) -> str:
    """Write a path as a person would.

    Examples
    --------
    >>> dotted(("queries", 2, "step"))
    'queries[2].step'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "(top level)"


def read_document(file: str, text: str) -> Document:
    """Parse YAML text.

    Raises
    ------
    ConfigError
        For text that is no YAML, a doubled key, or a scalar that YAML silently turns into another value.
    """
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(f"{file}:{mark.line + 1 if mark else 1}: not valid YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}:1: not valid YAML: {' '.join(str(error).split())}.") from error
    if node is not None:
        document.data = _Reader(document).read(node, ())
    return document


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0
        self.open: list[yaml.Node] = []

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.nodes += 1
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if self.nodes > _MOST_NODES or any(node is outer for outer in self.open):
            raise self._error(path, node, "aliases must not make an endless or enormous document.")
        self.open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self.open.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Hashable, Any]:
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(path, key_node, "a key must be plain text.")
            key = key_node.value
            if key == "<<":
                raise self._error(path, key_node, "merge keys (<<) are not supported; use `defaults`.")
            if key in result:
                first = self.document.lines[(*path, key)]
                raise self._error((*path, key), key_node, f"is given twice, first on line {first}. Keep one.")
            self.document.lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.read(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        tag = node.tag.rpartition(":")[2]
        if tag in ("int", "float") and _SEXAGESIMAL.fullmatch(node.value):
            hint = "Quote a time of day, or write a duration as 12h30m."
            raise self._error(path, node, f"YAML reads {node.value} as a base-60 number. {hint}")
        if tag == "timestamp":
            return node.value
        if tag not in ("str", "int", "float", "bool", "null"):
            raise self._error(path, node, f"must be plain text, a number or true/false. Got the YAML tag {node.tag}.")
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node)
        except (ValueError, yaml.YAMLError) as error:
            raise self._error(path, node, f"cannot be read: {node.value!r}.") from error

    def _error(self, path: Path, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{self.document.file}:{node.start_mark.line + 1}: {dotted(path)}: {message}")
