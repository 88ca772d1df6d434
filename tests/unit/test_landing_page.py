"""The service's landing page."""

from __future__ import annotations

import re

from exporter.freshness import Freshness
from exporter.pages import QueryState, QueryStatus, ServiceStatus, landing_page

NOW = 1_800_000_000.0


def status(*queries: QueryStatus) -> ServiceStatus:
    return ServiceStatus(
        now=NOW, started=NOW - 5_400, source="http://prometheus:9090", queries=queries, config_file="/etc/f.yml"
    )


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", html, flags=re.S))


def test_each_query_says_how_it_fares() -> None:
    good = QueryStatus("cost", "sum(cost)", QueryState.OK, 60, last_success=NOW - 12, series=9, skipped=2, alarms=1)
    bad = QueryStatus("runs", "sum(runs)", QueryState.FAILING, 300, reason="must answer within 30 s. Got nothing.")
    said = text(landing_page(status(good, bad)))
    assert "1 of 2 queries failing" in said
    assert "cost sum(cost) ok 9 2 1 2027-01-15 07:59:48 12 s ago 1 min" in said
    assert "runs sum(runs) failing must answer within 30 s. Got nothing. 0 0 0 never 5 min" in said
    assert "Running for 1 h 30 min" in said


def test_the_headline_says_what_matters_most() -> None:
    quiet = QueryStatus("cost", "x", QueryState.OK, 60, last_success=NOW, series=5)
    strange = QueryStatus("runs", "x", QueryState.OK, 60, last_success=NOW, series=5, alarms=3)
    assert "All quiet" in landing_page(status(quiet))
    assert "3 series outside of what is normal" in landing_page(status(quiet, strange))
    assert "Nothing is watched yet" in landing_page(status())
    assert "just now" in landing_page(status(quiet))


def test_while_all_queries_warm_up_nothing_is_called_quiet() -> None:
    warming = QueryStatus("cost", "x", QueryState.WARMING_UP, 60, last_success=NOW, series=5, skipped=5)
    assert "All quiet" not in landing_page(status(warming))


def test_what_hangs_is_not_called_quiet() -> None:
    gone = QueryStatus("cost", "x", QueryState.STALE, 60, fresh=Freshness(withdrawn=NOW - 60), series=5)
    said = text(landing_page(status(gone)))
    assert "1 of 1 queries without recent results" in said
    assert "no recent results results withdrawn at 2027-01-15 07:59" in said
    assert "Strange now – in alarm, not known of 1 query" in said


def test_a_query_without_series_is_not_called_quiet() -> None:
    fine = QueryStatus("cost", "x", QueryState.OK, 60, last_success=NOW, series=5)
    empty = QueryStatus("runs", "rnus", QueryState.NO_SERIES, 60, last_success=NOW)
    said = text(landing_page(status(fine, empty)))
    assert "1 of 2 queries without series" in said
    assert "runs rnus no series 0" in said
    assert "All quiet" not in said


def test_links_are_relative_so_that_a_prefix_of_a_proxy_survives() -> None:
    html = landing_page(status())
    for path in ("metrics", "-/healthy", "-/ready"):
        assert f'href="{path}"' in html
    assert ">docs<" not in html


def test_a_hostile_name_stays_text() -> None:
    html = landing_page(status(QueryStatus("<script>alert(1)</script>", "<b>", QueryState.WAITING, 60)))
    assert "&lt;script&gt;alert(1)" in html
    assert html.count("<script") == 1
