"""The webhook receiver: keeps what Alertmanager sends, and shows it. Also alone: `python -m demo.receiver`."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from waitress import create_server

BODY_LIMIT = 4 * 2**20


@dataclass(frozen=True)
class Notification:
    """One POST of Alertmanager's.

    Attributes
    ----------
    received : float
        Seconds since the epoch.
    body : dict
        As sent; see "webhook_config" in Alertmanager's manual.
    """

    received: float
    body: dict[str, Any]

    @property
    def clock(self) -> str:
        """Local time of day at which it came."""
        return datetime.fromtimestamp(self.received).astimezone().strftime("%H:%M:%S")

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """Its alerts."""
        return list(self.body.get("alerts", []))

    @property
    def line(self) -> str:
        """All of it in one line."""
        names = [_name(alert) for alert in self.alerts]
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        alertname = self.body.get("commonLabels", {}).get("alertname", "several alerts")
        return f"{str(self.body.get('status', '')).upper()} {alertname} -> {self.body.get('receiver', '')}: {shown}"


def _name(alert: dict[str, Any]) -> str:
    summary = alert.get("annotations", {}).get("summary", "")
    return str(summary or alert.get("labels", {}).get("alertname", "an alert without a name")).strip()


class Inbox:
    """Notifications in the order they came, in memory and in a file.

    Parameters
    ----------
    path : Path
        JSON file, rewritten with every notification.
    on_arrival : callable
        Told of each.
    clock : callable, optional
        Gives the seconds since the epoch.
    """

    def __init__(
        self, path: Path, on_arrival: Callable[[Notification], None], clock: Callable[[], float] = time.time
    ) -> None:
        self.notifications: list[Notification] = []
        self._path = path
        self._on_arrival = on_arrival
        self._clock = clock
        self._lock = threading.Lock()
        self._save()

    def take(self, body: dict[str, Any]) -> None:
        """Keep one notification."""
        with self._lock:
            arrived = Notification(self._clock(), body)
            self.notifications.append(arrived)
            self._save()
        self._on_arrival(arrived)

    def as_json(self) -> list[dict[str, Any]]:
        """All notifications, oldest first."""
        return [{"received": one.received, "notification": one.body} for one in self.notifications]

    def _save(self) -> None:
        written = self._path.with_suffix(".new")
        written.write_text(json.dumps(self.as_json(), indent=2) + "\n", encoding="utf-8")
        written.replace(self._path)  # a reader sees the old file or the new one, never half of it


def create_app(inbox: Inbox) -> Flask:
    """The receiver's pages: the hook, the list for people, the same as JSON."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT

    @app.post("/hook")
    def hook() -> ResponseReturnValue:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            return "The body must be a JSON object, as Alertmanager sends it.\n", 400
        inbox.take(body)
        return "", 204

    @app.get("/")
    def index() -> ResponseReturnValue:
        return render_template("notifications.html", notifications=inbox.notifications[::-1])

    @app.get("/api/notifications")
    def notifications() -> ResponseReturnValue:
        return jsonify(inbox.as_json())

    return app


class ReceiverServer:
    """Serves an inbox in a thread until it is closed."""

    def __init__(self, inbox: Inbox, host: str, port: int) -> None:
        self._server = create_server(create_app(inbox), host=host, port=port, threads=4)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Block until the server ends."""
        self._thread.join()

    def close(self) -> None:
        """Answer no more."""
        self._server.close()


@click.command(help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9817, show_default=True, help="Port to listen on.")
@click.option("--file", "path", type=click.Path(path_type=Path), default=Path("notifications.json"), show_default=True)
def main(host: str, port: int, path: Path) -> None:
    """Serve until the process is ended."""
    inbox = Inbox(path, lambda notification: click.echo(f"{notification.clock} {notification.line}"))
    ReceiverServer(inbox, host, port).wait()


if __name__ == "__main__":
    main()
