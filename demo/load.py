"""`python -m demo.load`: the load generator. Writes the history, then exports the present."""

from __future__ import annotations

import signal
import threading
import time

import click
import requests
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from waitress import create_server

from demo.exposition import PLATFORM, families
from demo.history import SCRAPE, STEP, Historian, platform_until
from demo.incidents import GATEWAY, SCHEDULE, Incident, placed
from demo.live import Gateway, Live, LiveCollector
from demo.planting import CannotPlant, plant
from demo.remote_write import WriteRefused
from demo.workloads import read_workloads


class LoadGenerator:
    """History first, then the present, then incidents on request.

    Parameters
    ----------
    host : str
        Address the LLM gateway's exporter listens on.
    addresses : dict of str to str
        Scrape job to ``host:port``, as Prometheus shall call it.
    start_after : float, optional
        Seconds after which the incidents begin by themselves.
    """

    def __init__(self, host: str, addresses: dict[str, str], start_after: float | None = None) -> None:
        self.progress = 0.0
        self.live: Live | None = None
        self._started: float | None = None
        self._families = families(read_workloads())
        self._host = host
        self._addresses = addresses
        self._start_after = start_after
        self.planted: list[Incident] = []

    def run(self, url: str, days: float, seed: int, stop: threading.Event) -> None:
        """Write `days` of history to the remote write address `url`, then run on until `stop` is set."""
        end = time.time() // STEP * STEP
        platform, start = platform_until(read_workloads(), end, days=days, seed=seed)
        historian = Historian(platform, self._families, url, start)
        historian.write_until(end, STEP, self._tell)
        # What has passed while writing, as close as scrapes are, so that they join without a hole.
        historian.write_until(time.time(), SCRAPE, lambda _: None)
        self.live = Live(platform, historian.reached)
        gateway = Gateway(LiveCollector.registry(self.live, self._families, GATEWAY), self._host, self._gateway_port)
        if self._start_after is not None:
            self.begin_incidents(self._start_after)
        self.live.run(gateway, stop)

    def begin_incidents(self, after: float = 0.0) -> float:
        """Let the schedule of incidents begin in `after` seconds, once; return when that is."""
        if self.live is None:
            raise RuntimeError("Incidents need a running platform; the history is still being written.")
        if self._started is None:
            self._started = time.time() + after
            self.live.plan(placed(SCHEDULE, self._started))
        return self._started

    def plant(self, kind: str, target: str | None, minutes: float) -> Incident:
        """Let an incident begin now. Raises CannotPlant for one that cannot be."""
        if self.live is None:
            raise CannotPlant("Incidents need a running platform. The history is still being written.")
        incident = plant(kind, target, time.time(), 60 * minutes, read_workloads())
        self.live.plan([incident])
        self.planted.append(incident)
        return incident

    def targets(self) -> list[dict[str, object]]:
        """What Prometheus reads by http_sd: nothing before the history is written.

        The label `instance` is a name, so that the history and the scrapes are the same series on any port.
        """
        if self.live is None:
            return []
        return [
            {"targets": [address], "labels": {"job": job, "instance": job}} for job, address in self._addresses.items()
        ]

    def page(self) -> bytes:
        """The metrics page of the pipelines."""
        if self.live is None:
            raise RuntimeError("There are no metrics before the history is written.")
        return generate_latest(LiveCollector.registry(self.live, self._families, PLATFORM))

    def _tell(self, share: float) -> None:
        self.progress = share

    @property
    def _gateway_port(self) -> int:
        return int(self._addresses[GATEWAY].rpartition(":")[2])


def create_app(generator: LoadGenerator) -> Flask:
    """The pages of the load generator: metrics, readiness, the start of the incidents, one more of them."""
    app = Flask(__name__)

    @app.get("/metrics")
    def metrics() -> ResponseReturnValue:
        if generator.live is None:
            return "the history is still being written\n", 503
        return Response(generator.page(), content_type=CONTENT_TYPE_LATEST)

    @app.get("/targets")
    def targets() -> ResponseReturnValue:
        return jsonify(generator.targets())

    @app.get("/-/ready")
    def ready() -> ResponseReturnValue:
        return jsonify(progress=generator.progress), 503 if generator.live is None else 200

    @app.post("/-/start")
    def start() -> ResponseReturnValue:
        if generator.live is None:
            return "the history is still being written\n", 503
        return jsonify(started=generator.begin_incidents())

    _incident_routes(app, generator)
    return app


def _incident_routes(app: Flask, generator: LoadGenerator) -> None:
    @app.get("/-/incident")
    def planted() -> ResponseReturnValue:
        told = ("kind", "title", "target", "start", "seconds")
        return jsonify([{name: getattr(one, name) for name in told} for one in generator.planted])

    @app.post("/-/incident")
    def incident() -> ResponseReturnValue:
        asked = request.get_json(silent=True)
        if not isinstance(asked, dict) or not isinstance(asked.get("minutes", 5), int | float):
            return 'The body must be like {"kind": "failure-burst", "target": null, "minutes": 5}.\n', 400
        try:
            planted = generator.plant(str(asked.get("kind")), asked.get("target"), asked.get("minutes", 5))
        except CannotPlant as error:
            return f"{error}\n", 400
        return jsonify(kind=planted.kind, title=planted.title, target=planted.target, end=planted.end), 201


@click.command(help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=9816, show_default=True, help="Port of the pipelines' metrics.")
@click.option("--gateway-port", default=9818, show_default=True, help="Port of the LLM gateway's metrics.")
@click.option("--name", default="127.0.0.1", show_default=True, help="Host name under which Prometheus finds this one.")
@click.option("--remote-write-url", required=True, help="Where the history goes; ends in /api/v1/write.")
@click.option("--days", default=14.0, show_default=True, help="Days of history.")
@click.option("--seed", default=7, show_default=True, help="Seed of everything random.")
@click.option("--start-after", type=float, help="Begin the incidents so many seconds after the history is written.")
def main(
    host: str,
    port: int,
    gateway_port: int,
    name: str,
    remote_write_url: str,
    days: float,
    seed: int,
    start_after: float | None,
) -> None:
    """Serve until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    addresses = {PLATFORM: f"{name}:{port}", GATEWAY: f"{name}:{gateway_port}"}
    generator = LoadGenerator(host, addresses, start_after)
    server = create_server(create_app(generator), host=host, port=port, threads=4)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        generator.run(remote_write_url, days, seed, stop)
    except (WriteRefused, requests.RequestException) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
