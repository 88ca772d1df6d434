"""The life of the service: start, signals, stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

import structlog

from exporter import __version__
from exporter.config_file import ConfigError
from exporter.server import ListenAddress, WebServer, make_app
from exporter.service import Service
from exporter.state import StateFolder

log = structlog.get_logger("forethought")


def run_service(config_file: Path, address: ListenAddress, storage: Path | None) -> None:
    """Serve until a signal ends it.

    Raises
    ------
    ConfigError, AddressError, StateError
        Where the start is impossible.
    """
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: signals.put(received))
    service = Service(config_file, StateFolder(storage) if storage else None)
    server = WebServer(make_app(service), address)
    server.start()
    log.info("listening", version=__version__, address=str(ListenAddress(address.host, server.port)), pid=os.getpid())
    service.start()
    while signals.get() == signal.SIGHUP:
        _reload(service)
    log.info("stopping")
    server.stop()
    service.stop()
    _leave()


def _reload(service: Service) -> None:
    try:
        service.reload()
    except ConfigError:
        return  # logged and shown in a gauge; the old configuration runs on


def _leave() -> None:
    """End the process although a request that nobody waits for may still hang."""
    if any(thread.name.startswith("ThreadPoolExecutor") and thread.is_alive() for thread in threading.enumerate()):
        sys.stderr.flush()
        os._exit(0)
