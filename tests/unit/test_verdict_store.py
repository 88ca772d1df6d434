"""Verdicts on disk: whole, in order, over restarts, and never in the way of the service."""

import gc
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from detectors.verdict import About, JudgedAlarm, KindOfTime, Opinion, Verdict
from exporter.verdicts.errors import VerdictStoreError
from exporter.verdicts.records import Alert, Kept
from exporter.verdicts.store import Limits, open_file, open_temporary, open_url
from exporter.wiring import open_verdicts
from series.matcher import parse_matchers

NIGHT = KindOfTime(weekdays=frozenset({0, 6}), start=79_200, end=7_200, timezone="Europe/Berlin")


@pytest.fixture
def store(tmp_path):
    opened = open_file(tmp_path / "verdicts.sqlite")
    yield opened
    opened.close()


def kept(identity="a", *, created=100.0, lasts=1_000.0, **more):
    more = {"opinion": Opinion.FALSE, "query": "rate", "matchers": parse_matchers('{job="é\\n",zone!~"x.*"}')} | more
    return Kept(Verdict(id=identity, created=created, expires=created + lasts, **more), alert="f1")


def alert(fingerprint="f1", received=50.0, **more):
    known = {
        "query": "rate",
        "matchers": parse_matchers('{job="a"}'),
        "labels": {"job": "a", "é": "\n"},
        "summary": "odd",
        "begun": 40.0,
        "score": 3.5,
        "side": -1,
    }
    return Alert(fingerprint=fingerprint, received=received, **(known | more))


def test_what_was_kept_is_there_after_a_restart(tmp_path):
    given = [
        kept("a", score=3.25, side=-1, note="batch\nrun", who="oncall"),
        kept(
            "d", about=About.PAST, alarm=JudgedAlarm(90.0, (("seasonal", 2.5), ("window_pca_6", 0.25))), created=100.5
        ),
        kept("b", opinion=Opinion.EXPECTED, when=NIGHT, query="", created=101.0),
        kept("c", opinion=Opinion.TRUE, matchers=(), created=102.0),
    ]
    first = open_file(tmp_path / "v.sqlite")
    for each in given:
        first.add(each, now=100.0)
    first.record([alert()], now=50.0)
    first.close()
    again = open_file(tmp_path / "v.sqlite")
    assert again.in_force(200.0) == tuple(given)
    assert again.alert("f1") == alert()
    again.close()


def test_only_verdicts_in_force_act(store):
    store.add(kept("a"), now=100.0)
    store.add(kept("b", created=200.0), now=200.0)
    seen = {
        now: [each.verdict.id for each in store.in_force(now)]
        for now in (99.0, 100.0, 200.0, 1_099.0, 1_100.0, 1_200.0)
    }
    assert seen == {99.0: [], 100.0: ["a"], 200.0: ["a", "b"], 1_099.0: ["a", "b"], 1_100.0: ["b"], 1_200.0: []}


def test_one_that_is_taken_back_acts_no_more_and_is_still_known(store):
    store.add(kept("a"), now=100.0)
    assert len(store.in_force(150.0)) == 1
    assert store.revoke("a", now=160.0, who="bo").revoked == 160.0
    assert store.in_force(170.0) == ()
    assert (store.get("a").revoked, store.get("a").revoked_by) == (160.0, "bo")
    assert store.revoke("a", now=500.0).revoked == 160.0
    assert store.revoke("none", now=500.0) is None
    assert [each.verdict.id for each in store.all()] == ["a"]


def test_changes_are_seen_at_once_and_those_of_others_soon(tmp_path, store):
    other = open_file(tmp_path / "verdicts.sqlite")
    assert store.in_force(100.0) == ()
    other.add(kept("a"), now=100.0)
    assert store.in_force(110.0) == ()
    assert len(store.in_force(131.0)) == 1
    before = store.revision
    store.add(kept("b", created=131.0), now=131.0)
    assert len(store.in_force(131.0)) == 2
    assert store.revision > before
    other.close()


def test_lists_are_newest_first_and_by_query(store):
    for number in range(5):
        store.add(kept(str(number), created=100.0 + number, query="rate" if number % 2 else "errors"), now=100.0)
    assert [each.verdict.id for each in store.all()] == ["4", "3", "2", "1", "0"]
    assert [each.verdict.id for each in store.all(query="rate", most=1)] == ["3"]


def test_an_alert_is_kept_once_and_old_ones_go(tmp_path):
    store = open_file(tmp_path / "verdicts.sqlite", Limits(alerts=3))
    store.record([alert("f1"), alert("f2", received=51.0)], now=51.0)
    store.record([alert("f1", received=60.0, ended=60.0, score=None)], now=60.0)
    assert [(each.fingerprint, each.ended) for each in store.alerts()] == [("f1", 60.0), ("f2", None)]
    store.record([], now=52.0 + 90 * 86_400)
    assert [each.fingerprint for each in store.alerts()] == ["f1"]
    store.record([alert(f"g{number}", received=100.0 + number) for number in range(10)], now=110.0)
    assert [each.fingerprint for each in store.alerts()] == ["g9", "g8", "g7"]
    store.close()


def test_too_many_verdicts_are_refused(tmp_path):
    store = open_file(tmp_path / "verdicts.sqlite", Limits(in_force=2))
    store.add(kept("a"), now=100.0)
    store.add(kept("b"), now=100.0)
    with pytest.raises(VerdictStoreError, match="at most 2 verdicts"):
        store.add(kept("c"), now=100.0)
    store.revoke("a", now=100.0)
    store.add(kept("c"), now=100.0)
    store.add(kept("d", created=2_000.0), now=2_000.0)  # the others have expired
    store.close()


def test_a_damaged_file_is_set_aside(tmp_path):
    path = tmp_path / "v.sqlite"
    path.write_bytes(b"not a database at all" * 500)
    store = open_file(path)
    store.add(kept("a"), now=100.0)
    assert (tmp_path / "v.sqlite.damaged").read_bytes().startswith(b"not a database")
    store.close()


def test_a_file_of_a_later_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "v.sqlite"
    open_file(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE forethought_verdict_schema SET version = 3")
    connection.close()
    with pytest.raises(VerdictStoreError, match=r"version 2\. Got 3"):
        open_file(path)
    assert path.exists()
    assert not (tmp_path / "v.sqlite.damaged").exists()


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path):
    path = tmp_path / "v.sqlite"
    store = open_file(path)
    store.add(kept("a"), now=100.0)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE forethought_verdicts DROP COLUMN about")
        connection.execute("ALTER TABLE forethought_verdicts DROP COLUMN alarm")
        connection.execute("UPDATE forethought_verdict_schema SET version = 1")
    connection.close()
    store = open_file(path)
    store.add(kept("b", about=About.PEERS), now=100.0)
    store.close()
    again = open_file(path)
    assert again.in_force(150.0) == (kept("a"), kept("b", about=About.PEERS))
    again.close()


def test_what_cannot_be_opened_is_one_line(tmp_path):
    for open_it in (
        lambda: open_file(tmp_path / "missing" / "v.sqlite"),
        lambda: open_url("nonsense"),
        lambda: open_url("sqlite:////nowhere/x"),
    ):
        with pytest.raises(VerdictStoreError, match="verdicts cannot be kept") as error:
            open_it()
        assert "\n" not in str(error.value)


def test_many_threads_write_and_read(store):
    problems = []

    def work(name):
        try:
            for number in range(10):
                store.add(kept(f"{name}-{number}"), now=100.0)
                store.in_force(100.0)
                store.record([alert(f"{name}-{number}")], now=50.0)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(store.in_force(100.0)) == 40
    assert len(store.alerts()) == 40


def test_where_the_database_is_gone_the_last_verdicts_hold_on(tmp_path):
    path = tmp_path / "verdicts.sqlite"
    store = open_file(path)
    store.add(kept("a"), now=100.0)
    assert len(store.in_force(100.0)) == 1
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE forethought_verdicts")
    other.close()
    assert len(store.in_force(200.0)) == 1
    assert store.in_force(1_200.0) == ()
    with pytest.raises(VerdictStoreError, match="no such table"):
        store.all()
    store.close()


@pytest.mark.parametrize("everything", [True, False])
def test_a_file_that_was_removed_is_made_anew(tmp_path, everything):
    path = tmp_path / "state" / "verdicts.sqlite"
    store = open_verdicts(path.parent)
    store.add(kept("a"), now=100.0)
    assert len(store.in_force(100.0)) == 1
    shutil.rmtree(path.parent) if everything else path.unlink()
    store.add(kept("b"), now=101.0)
    store.record([alert("f")], now=101.0)
    store.close()
    again = open_file(path)
    assert {each.verdict.id for each in again.in_force(102.0)} == {"a", "b"}
    assert again.alert("f") is not None
    again.close()


def test_a_database_that_is_gone_is_told_of_once(tmp_path):
    path = tmp_path / "verdicts.sqlite"
    store = open_file(path)
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE forethought_verdicts RENAME TO away")
    with capture_logs() as told:
        for now in (100.0, 200.0, 150.0, 300.0):  # queries with other steps ask for other times
            store.in_force(now)
    assert len(told) == 1
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE away RENAME TO forethought_verdicts")
    store.in_force(400.0)
    with sqlite3.connect(path) as other, capture_logs() as told:
        other.execute("ALTER TABLE forethought_verdicts RENAME TO away")
        other.commit()
        store.in_force(500.0)
    assert len(told) == 1
    store.close()


def test_a_temporary_store_leaves_nothing_behind(tmp_path):
    store = open_temporary()
    store.add(kept("a"), now=100.0)
    folder = Path(store._engine.url.database).parent
    assert folder.exists()
    store.close()
    del store
    gc.collect()
    assert not folder.exists()
