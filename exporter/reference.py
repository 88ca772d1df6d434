"""Reference pages, built from the code: ``python -m exporter.reference DIRECTORY [--check]``."""

from __future__ import annotations

import inspect
import json
import sys
import typing
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from exporter.config import Configuration, Query, QueryDefaults
from exporter.duration import Duration
from exporter.metrics import OURSELVES, RESULTS, Family

_GENERATED = "<!-- Built from the code by `make reference`; edit the code. -->\n\n"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a page is not up to date.")
def main(directory: Path, check: bool) -> None:
    """Write the reference pages into DIRECTORY."""
    stale = []
    for name, text in pages().items():
        file = directory / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                file.write_text(text, encoding="utf-8")
    if check and stale:
        click.echo(f"not up to date in {directory}: {', '.join(stale)}. Run: make reference", err=True)
        sys.exit(1)


def pages() -> dict[str, str]:
    """Text of each page by file name."""
    return {
        "metrics.md": metrics_page(),
        "configuration.md": configuration_page(),
        "configuration.schema.json": json.dumps(Configuration.model_json_schema(), indent=2) + "\n",
    }


def metrics_page() -> str:
    """Every published metric."""
    parts = [
        "# Metrics\n\n" + _GENERATED,
        "## Results\n\nEach sample also carries the labels of its input series. A label of the input that is called "
        "`query`, `horizon` or `limit` becomes `exported_query` and so on; the metric name, where the expression "
        "keeps one, becomes `metric`. A result that was not computed is absent.\n\n",
        _metrics_table(RESULTS),
        "\n## The process itself\n\n",
        _metrics_table(OURSELVES),
        "\nBeside these, the usual `process_*` and `python_info` of every Prometheus client.\n",
    ]
    return "".join(parts)


def _metrics_table(families: tuple[Family, ...]) -> str:
    rows = []
    for family in families:
        labels = ", ".join(f"`{label}`" for label in family.labels) or "-"
        rows.append(f"| `{family.name}` | {family.kind} | {labels} | {family.help} |")
    return "| metric | type | own labels | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def configuration_page() -> str:
    """Every key of the configuration file."""
    parts = [
        "# Configuration\n\n" + _GENERATED,
        "One YAML file. Durations carry a unit: `30s`, `5m`, `1h30m`, `14d`. An unknown key, a key given twice or a "
        "value of the wrong kind stops the start, with the line and the path of the key; a reload that meets one "
        "keeps the old configuration running. `forethought check-config` finds the same without starting. Editors "
        "complete the keys with [configuration.schema.json](configuration.schema.json).\n\n",
        "```yaml\nsource:\n  url: http://127.0.0.1:9090\nqueries:\n  - name: request_rate\n"
        "    query: sum by (job) (rate(http_requests_total[5m]))\n    step: 1m\n```\n",
    ]
    for title, model in _sections("", Configuration):
        parts.append(_section(title, model))
    return "".join(parts)


def _sections(path: str, model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    found = [(path, model)]
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        if inner is None or (path.startswith("queries") and name in QueryDefaults.model_fields):
            continue
        suffix = "[]" if typing.get_origin(field.annotation) is tuple else ""
        found += _sections(f"{path}.{name}{suffix}".lstrip("."), inner)
    return found


def _section(path: str, model: type[BaseModel]) -> str:
    lines = [f"\n## {f'`{path}`' if path else 'Top level'}\n"]
    if model.__doc__ and path:
        lines.append(inspect.cleandoc(model.__doc__).split("\n")[0] + "\n")
    fields = dict(model.model_fields)
    if model is Query:
        lines.append("Beside these, every key of `defaults`.\n")
        fields = {name: field for name, field in fields.items() if name not in QueryDefaults.model_fields}
    lines.append("| key | default | meaning |\n|---|---|---|")
    lines += [f"| `{name}` | {_default(field)} | {_one_line(field.description)} |" for name, field in fields.items()]
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, dict):
        return "none" if not value else f"`{value}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) and not issubclass(annotation, Duration) else None
    return next((found for arg in typing.get_args(annotation) if (found := _inner(arg))), None)


if __name__ == "__main__":
    main()
