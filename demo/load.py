"""`python -m demo.load`: the load generator. Writes the history, then exports the present."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path

import click
from flask import Flask, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from waitress import create_server

from demo.exposition import PLATFORM, families
from demo.history import SCRAPE, STEP, Historian, platform_until
from demo.incidents import GATEWAY, SCHEDULE, placed
from demo.live import Gateway, Live, LiveCollector
from demo.workloads import read_workloads


class LoadGenerator:
    """History first, then the present, then incidents on request."""

    def __init__(
        self,
        host: str,
        gateway_port: int,
        targets: Path,
        addresses: dict[str, str],
        start_after: float | None = None,
    ) -> None:
        self.progress = 0.0
        self.live: Live | None = None
        self.started: float | None = None
        self._families = families(read_workloads())
        self._host = host
        self._gateway_port = gateway_port
        self._targets = targets
        self._addresses = addresses
        self._start_after = start_after

    def run(self, url: str, days: float, seed: int, stop: threading.Event) -> None:
        """Write `days` of history to the remote write address `url`, then run on until `stop` is set."""
        end = time.time() // STEP * STEP
        platform, start = platform_until(read_workloads(), end, days=days, seed=seed)
        historian = Historian(platform, self._families, url, start)
        historian.write_until(end, STEP, self._tell)
        # What has passed while writing, as close as scrapes are, so that they join without a hole.
        historian.write_until(time.time(), SCRAPE, self._tell)
        self.live = Live(platform, historian.reached)
        gateway = Gateway(LiveCollector.registry(self.live, self._families, GATEWAY), self._host, self._gateway_port)
        self._targets.write_text(json.dumps(self._target_groups(), indent=2), encoding="utf-8")
        if self._start_after is not None:
            self.begin_incidents(self._start_after)
        self.live.run(gateway, stop)

    def begin_incidents(self, after: float = 0.0) -> float:
        """Let the schedule of incidents begin in `after` seconds, once; return when that is."""
        if self.live is None:
            raise RuntimeError("Incidents need a running platform; the history is still being written.")
        if self.started is None:
            self.started = time.time() + after
            self.live.plan(placed(SCHEDULE, self.started))
        return self.started

    def page(self) -> bytes:
        """The metrics page of the pipelines."""
        if self.live is None:
            raise RuntimeError("There are no metrics before the history is written.")
        return generate_latest(LiveCollector.registry(self.live, self._families, PLATFORM))

    def _tell(self, share: float) -> None:
        self.progress = share

    def _target_groups(self) -> list[dict[str, object]]:
        """What Prometheus reads by file_sd: `instance` is named, so that history and scrapes are one series."""
        return [
            {"targets": [address], "labels": {"job": job, "instance": job}} for job, address in self._addresses.items()
        ]


def create_app(generator: LoadGenerator) -> Flask:
    """The pages of the load generator: metrics, readiness, the start of the incidents."""
    app = Flask(__name__)

    @app.get("/metrics")
    def metrics() -> ResponseReturnValue:
        if generator.live is None:
            return "the history is still being written\n", 503
        return Response(generator.page(), content_type=CONTENT_TYPE_LATEST)

    @app.get("/-/ready")
    def ready() -> ResponseReturnValue:
        return jsonify(progress=generator.progress), 503 if generator.live is None else 200

    @app.post("/-/start")
    def start() -> ResponseReturnValue:
        if generator.live is None:
            return "the history is still being written\n", 503
        return jsonify(started=generator.begin_incidents())

    return app


@click.command(help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9816, show_default=True, help="Port of the pipelines' metrics.")
@click.option("--gateway-port", default=9818, show_default=True, help="Port of the LLM gateway's metrics.")
@click.option("--name", default="127.0.0.1", show_default=True, help="Host name under which Prometheus finds this one.")
@click.option("--remote-write-url", required=True, help="Where the history goes; ends in /api/v1/write.")
@click.option(
    "--targets-file", required=True, type=click.Path(path_type=Path), help="file_sd file to write when ready."
)
@click.option("--days", default=14.0, show_default=True, help="Days of history.")
@click.option("--seed", default=7, show_default=True, help="Seed of everything random.")
@click.option("--start-after", type=float, help="Begin the incidents so many seconds after the history is written.")
def main(
    host: str,
    port: int,
    gateway_port: int,
    name: str,
    remote_write_url: str,
    targets_file: Path,
    days: float,
    seed: int,
    start_after: float | None,
) -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    addresses = {PLATFORM: f"{name}:{port}", GATEWAY: f"{name}:{gateway_port}"}
    generator = LoadGenerator(host, gateway_port, targets_file, addresses, start_after)
    server = create_server(create_app(generator), host=host, port=port, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    generator.run(remote_write_url, days, seed, stop)


if __name__ == "__main__":
    main()
