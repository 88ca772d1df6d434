"""The life of the service: start, signals, stop."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import cast

import structlog
from flask import Blueprint
from werkzeug.local import LocalProxy

from exporter import __version__
from exporter.config_file import ConfigError
from exporter.config_load import load_config
from exporter.explain.api import explain_api
from exporter.explain.explainer import Explainer
from exporter.forecast_api.api import forecast_api
from exporter.forecast_api.desk import ForecastDesk
from exporter.series_page.api import history_api
from exporter.series_page.desk import SeriesDesk
from exporter.series_page.page import series_page
from exporter.server import ListenAddress, WebServer, make_app
from exporter.service import Service
from exporter.state.lock import FolderLock
from exporter.verdicts.api import verdict_api
from exporter.verdicts.desk import VerdictDesk
from exporter.verdicts.page import verdict_page
from exporter.wiring import make_ears, make_state

log = structlog.get_logger("forethought")


def run_service(config_file: Path, address: ListenAddress, storage: Path | None, *, poll: float) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    poll : float
        Seconds between two looks at the configuration file; 0 for never.

    Raises
    ------
    ConfigError, AddressError, StateError
        Where the start is impossible.
    """
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: signals.put(received))
    watch = FileWatch(config_file)  # before it is read, or a change in between would go unseen
    load_config(config_file)  # its mistakes are told before anybody is asked to stop another process
    state = make_state(storage, FolderLock(storage)) if storage else None
    service = Service(config_file, state, ears=make_ears(storage))
    desk = cast(VerdictDesk, LocalProxy(lambda: service.hearing.desk))  # opened when it is first asked
    server = WebServer(make_app(service, verdict_api(desk), verdict_page(desk), *series_rooms(service)), address)
    server.start()
    log.info("listening", version=__version__, address=str(ListenAddress(address.host, server.port)), pid=os.getpid())
    service.start()
    while (event := _next_event(signals, watch, poll)) == signal.SIGHUP:
        _reload(service)
    log.debug("signal received", number=event)
    log.info("stopping")
    server.stop()
    if not service.stop():
        _leave()


def series_rooms(service: Service) -> tuple[Blueprint, ...]:
    """What is told of single series, as JSON and as a page."""
    explainer = Explainer(service.cycles, service.freshness)
    ahead, desk = ForecastDesk(service.cycles), SeriesDesk(service.cycles)
    return (
        explain_api(explainer),
        forecast_api(ahead),
        history_api(desk),
        series_page(desk, explainer, ahead, service.freshness),
    )


class FileWatch:
    """Tells whether a file has other content than at the last look.

    Content is compared, not times: a Kubernetes ConfigMap swaps a symbolic link, and editors write files anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._content()

    def changed(self) -> bool:
        """Look, and remember what was seen. A file that is missing at the moment has not changed."""
        content = self._content()
        changed = content is not None and content != self._seen
        self._seen = content if content is not None else self._seen
        return changed

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None


def _next_event(signals: SimpleQueue[int], watch: FileWatch, poll: float) -> int:
    while True:
        try:
            return signals.get(timeout=poll or None)
        except Empty:
            if watch.changed():
                return signal.SIGHUP


def _reload(service: Service) -> None:
    try:
        service.reload()
    except ConfigError:
        return  # logged and shown in a gauge; the old configuration runs on
    except Exception as error:
        log.exception("reload broke", error=str(error))


def _leave() -> None:
    """End the process although a request that nobody waits for still hangs."""
    sys.stderr.flush()
    os._exit(0)
