"""One cycle: pull over HTTP, store, judge, look ahead, render. CPU time of this process; the server is another one.

    python -m benchmarks.cycle [--series 1000] [--history 7d] [--step 5m]

The first cycle fills the history and fits the models, the steady ones bring one step each. The peer column is what the
usual libraries take for the steady step alone: json, a prometheus_client gauge a result, generate_latest; no model.
Prints one JSON object as its last line.
"""

from __future__ import annotations

import json
import math
import resource
import statistics
import time
from collections.abc import Callable

import click
import numpy as np
import orjson
import requests
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from benchmarks.answers import answering
from exporter import metrics
from exporter.config import Query
from exporter.config_source import Source
from exporter.cycle import CycleResult, QueryCycle
from exporter.duration import Duration
from exporter.page import Block
from exporter.telemetry import Telemetry
from exporter.wiring import make_plan, make_source


@click.command()
@click.option("--series", "n_series", default=1_000, show_default=True)
@click.option("--history", default="7d", show_default=True)
@click.option("--step", default="5m", show_default=True)
@click.option("--cycles", default=5, show_default=True, help="Steady cycles; the peer has every other turn.")
@click.option("--data", default=None, help="Not used: the samples are made here.")
def main(n_series: int, history: str, step: str, cycles: int, data: str | None) -> None:
    """Measure and print."""
    query = Query(
        name="bench",
        query="bench",
        step=Duration.parse(step),
        history=Duration.parse(history),
        late_samples=Duration(0),
        series_limit=n_series,
    )
    with answering(n_series) as url:
        telemetry = Telemetry()
        cycle = QueryCycle(query, make_source(Source(url=url), telemetry), make_plan(query), telemetry, 300.0)
        now = math.floor(time.time() / query.step) * query.step + query.latency + 1.0
        first, result = _cpu(lambda: cycle.run(now))
        ahead, result = _cpu(lambda: cycle.look_ahead(now))
        steady, peer = [], []
        for turn in range(1, cycles + 1):
            at = now + turn * query.step
            seconds, result = _cpu(lambda at=at: cycle.run(at))  # type: ignore[misc]
            steady.append(seconds)
            cycle.look_ahead(at)  # when due, with the next hour's forecasts: a cost of its own, shown above
            peer.append(_cpu(lambda at=at: _usual_way(url, at, query))[0])  # type: ignore[misc]
    report = _report(result, first, ahead, steady, peer) | {
        "bench": "cycle",
        "series": n_series,
        "steps": history + "/" + step,
    }
    print(f"first scores {report['first_s']:.2f} s CPU, first forecasts {report['first_forecast_s']:.2f} s more")
    print(f"steady cycle {report['steady_ms']:.1f} ms CPU")
    print(f"the usual way without a model {report['peer_ms']:.1f} ms, {report['ratio']:.1f} times ours")
    print(orjson.dumps(report).decode())


def _page_bytes(block: Block) -> int:
    return sum(len(piece) for shard in block.shards for pieces in shard.values() for piece in pieces)


def _cpu(call: Callable[[], CycleResult | None]) -> tuple[float, CycleResult | None]:
    started = time.process_time()
    result = call()
    return time.process_time() - started, result


def _usual_way(url: str, now: float, query: Query) -> None:
    form = {"query": query.query, "start": str(now), "end": str(now), "step": str(int(query.step))}
    answer = json.loads(requests.post(f"{url}/api/v1/query_range", data=form, timeout=60).content)
    registry = CollectorRegistry()
    names = ("query", "tenant_id", "pipeline_id", "region")
    gauges = [Gauge(family.name, family.help, names, registry=registry) for family in metrics.RESULTS]
    for series in answer["data"]["result"]:
        value = float(series["values"][-1][1])
        for gauge in gauges:
            gauge.labels("bench", *(series["metric"][name] for name in names[1:])).set(value)
    generate_latest(registry)


def _report(
    result: CycleResult | None, first: float, ahead: float, steady: list[float], peer: list[float]
) -> dict[str, float | str]:
    if result is None or not result.block.samples:
        raise SystemExit("The cycle gave no results.")
    return {
        "first_s": first,
        "first_forecast_s": ahead,
        "steady_ms": statistics.median(steady) * 1e3,
        "peer_ms": statistics.median(peer) * 1e3,
        "ratio": statistics.median(theirs / ours for ours, theirs in zip(steady, peer, strict=True)),
        "samples": result.block.samples,
        "anomalous": result.n_anomalous,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "page_kb": np.round(_page_bytes(result.block) / 1e3, 1).item(),
    }


if __name__ == "__main__":
    main()
