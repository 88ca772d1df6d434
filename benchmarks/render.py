"""Rendering result samples, against setting gauges and prometheus_client.generate_latest in the same run.

    python -m benchmarks.render [--samples 10000,100000]

Both render one gauge family with four labels a sample; every value changes between two rounds. Prints the median CPU
time of the rounds, and as its last line one JSON object. The same samples are also encoded for remote write, in the
requests they would be sent in (protocol buffers and snappy); that has no peer here.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import click
import numpy as np
import orjson
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from exporter.config_output import RemoteWrite
from exporter.exposition import Lines, header
from exporter.metrics import VALUE
from exporter.page import gzip_member
from exporter.remote_write.request import Messages, in_requests
from exporter.results import Column
from series import FloatArray, SeriesKey

# Samples of one request, as configured by default.
REQUEST = RemoteWrite.model_fields["max_samples_per_request"].default
LABELS = ("tenant_id", "pipeline_id", "region", "status")


@click.command()
@click.option("--samples", default="10000,100000", show_default=True, help="Sample counts, with commas.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each; the peer has every other turn.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(samples: str, rounds: int, data: str | None) -> None:
    """Measure and print."""
    results = [measure(int(count), rounds) for count in samples.split(",")]
    print(
        f"{'samples':>8} {'ours ms':>9} {'peer ms':>9} {'ratio':>7} {'scrape again ms':>16} {'gzip ms':>8} "
        f"{'remote write ms':>16}"
    )
    for row in results:
        print(
            f"{row['samples']:>8} {row['ours_ms']:>9.2f} {row['peer_ms']:>9.1f} {row['ratio']:>7.1f} "
            f"{row['second_scrape_ms']:>16.4f} {row['gzip_ms']:>8.2f} {row['remote_write_ms']:>16.2f}"
        )
    print(orjson.dumps({"bench": "render", "peer": "prometheus_client", "results": results}).decode())


def measure(count: int, rounds: int) -> dict[str, float]:
    """Time both ways for `count` samples."""
    rng = np.random.default_rng(0)
    keys = [
        SeriesKey(dict(zip(LABELS, (f"tenant-{n % 40}", f"pipeline-{n}", f"region-{n % 7}", "success"), strict=True)))
        for n in range(count)
    ]
    ours, peer = _ours(tuple(keys)), _peer(keys)
    values = rng.lognormal(size=(rounds + 1, count))
    if ours(values[0]).count(b"\n") != peer(values[0]).count(b"\n"):
        raise SystemExit("Both must render the same number of lines.")
    times = [(_cpu(ours, row), _cpu(peer, row)) for row in values[1:]]
    page = ours(values[0])
    mine, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    return {
        "samples": count,
        "ours_ms": mine * 1e3,
        "peer_ms": theirs * 1e3,
        "ratio": statistics.median(b / a for a, b in times),
        "ns_a_sample": mine / count * 1e9,
        "second_scrape_ms": _cpu(lambda _: page, values[0]) * 1e3,
        "gzip_ms": _cpu(lambda _: gzip_member([page]), values[0]) * 1e3,
        "page_bytes": len(page),
        "remote_write_ms": _remote_write(tuple(keys), values) * 1e3,
    }


def _ours(keys: tuple[SeriesKey, ...]) -> Callable[[FloatArray], bytes]:
    lines = Lines("pipeline_duration")
    return lambda values: b"".join([header(VALUE), *lines.render(keys, Column(VALUE, values))[0]])


def _peer(keys: list[SeriesKey]) -> Callable[[FloatArray], bytes]:
    registry = CollectorRegistry()
    gauge = Gauge(VALUE.name, VALUE.help, ("query", *LABELS), registry=registry)
    children = [gauge.labels("pipeline_duration", *(key[label] for label in LABELS)) for key in keys]

    def scrape(values: FloatArray) -> bytes:
        for child, value in zip(children, values.tolist(), strict=True):
            child.set(value)
        return generate_latest(registry)

    return scrape


def _remote_write(keys: tuple[SeriesKey, ...], values: FloatArray) -> float:
    messages, rows = Messages("pipeline_duration", {}), np.arange(len(keys))
    portions = [rows[first : first + REQUEST] for first in range(0, len(rows), REQUEST)]

    def encode(row: FloatArray) -> bytes:
        column = Column(VALUE, row)
        encoded = ((len(some), messages.encode(keys, column, some, row[some], at=1.7e9)) for some in portions)
        return b"".join(request.body for request in in_requests(encoded, 1.7e9, REQUEST))

    encode(values[0])
    return statistics.median(_cpu(encode, row) for row in values[1:])


def _cpu(call: Callable[[FloatArray], bytes], values: FloatArray) -> float:
    started = time.process_time()
    call(values)
    return time.process_time() - started


if __name__ == "__main__":
    main()
