"""Logs worth reading: one line an event, to standard error, as logfmt or JSON."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

Level = Literal["debug", "info", "warn", "error"]
Format = Literal["logfmt", "json"]

# Libraries that report at INFO what is our business only when it goes wrong.
_QUIET = ("apscheduler", "waitress", "urllib3", "werkzeug", "tzlocal")
# And what warns of runs left out, which we tell ourselves with the name of the query.
_SILENT = "apscheduler.scheduler"


def set_up_logs(level: Level, form: Format) -> None:
    """Send our own events and those of the libraries the same way.

    Tracebacks appear at level debug only: an operator can do nothing with one, a developer asks for it.
    """
    numeric = logging.WARNING if level == "warn" else logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        _without_traceback if numeric > logging.DEBUG else structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _rename, _renderer(form)],
        )
    )
    logging.basicConfig(handlers=[handler], level=numeric, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(numeric, logging.WARNING))
    logging.getLogger(_SILENT).setLevel(logging.ERROR)
    logging.captureWarnings(True)  # else they reach standard error as they are, in two lines with a path
    logging.getLogger("py.warnings").setLevel(logging.WARNING if numeric == logging.DEBUG else logging.ERROR)


def _renderer(form: Format) -> structlog.typing.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    return structlog.processors.LogfmtRenderer(key_order=["ts", "level", "msg"], drop_missing=True)


def _rename(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["msg"] = " ".join(str(event.pop("event")).split())
    return event


def _without_traceback(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__name__}: {error}"
    return event
