"""The platform of the demo: its counters join, its noise is honest, its incidents show."""

from dataclasses import replace

import numpy as np
import pytest

from demo.draws import LATE_SECONDS, LateCounts, SlowNoise, histogram, sums
from demo.history import MISSED, START_UP_SECONDS, platform_until
from demo.incidents import MISSED_RUN_AFTER, SCHEDULE, Incident, placed
from demo.rhythm import DAY
from demo.simulation import Platform, State
from demo.storage import STORES
from demo.workloads import NIGHTLY, RHYTHMS, read_workloads

END = 1_795_219_200.0  # a Saturday, midnight UTC
WORKLOADS = read_workloads()
ROW = {workload.pipeline_id: row for row, workload in enumerate(WORKLOADS)}


def platform(days: float = 1.0, *incidents: Incident, seed: int = 7) -> tuple[Platform, float]:
    made, start = platform_until(WORKLOADS, END, days=days, seed=seed)
    made.incidents[:] = incidents
    return made, start


def simulate(*incidents: Incident, seed: int = 7, days: float = 1.0) -> State:
    made, start = platform(days, *incidents, seed=seed)
    return made.advance(start, 60, round(days * 1_440))


def increase(state: State, name: str) -> np.ndarray:
    return np.diff(state[name], axis=1)


def test_the_catalogue_holds_sixty_workloads_of_four_tenants() -> None:
    assert len(WORKLOADS) == 60
    assert len(ROW) == 60
    assert {workload.tenant_id for workload in WORKLOADS} == {"acme", "globex", "initech", "umbrella"}
    assert {workload.rhythm for workload in WORKLOADS} == set(RHYTHMS)
    assert {incident.target for incident in SCHEDULE} - {"llm-gateway"} <= ROW.keys()


def test_the_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    first, again, other = simulate(), simulate(), simulate(seed=8)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    assert (first["success"] != other["success"]).any()


def test_counters_go_on_where_the_history_ends_although_the_present_has_shorter_steps() -> None:
    made, start = platform()
    past = made.advance(start, 60, 1_440)
    present = made.advance(END, 5, 24)
    for name in set(past) - {"queue", "memory", "artifacts", "artifacts_size", "rows"}:
        joined = np.hstack([past[name], present[name]])
        assert (np.diff(joined, axis=1) >= 0).all(), name
        assert (present[name][:, 0] - past[name][:, -1] <= past[name].max(axis=1)).all(), name


def test_the_rate_of_runs_does_not_depend_on_the_length_of_a_step() -> None:
    coarse, fine = platform()[0], platform()[0]
    steady = [row for row, workload in enumerate(WORKLOADS) if workload.rhythm == "steady"]
    per_minute = coarse.advance(END, 60, 240)["success"][steady, -1]
    per_second = fine.advance(END, 1, 240 * 60)["success"][steady, -1]
    np.testing.assert_allclose(per_minute.sum(), per_second.sum(), rtol=0.03)


def test_a_histogram_counts_every_run_once_and_never_fewer_in_a_higher_bucket() -> None:
    state = simulate()
    buckets = state["duration_bucket"].reshape(len(WORKLOADS), -1, 1_440)
    assert (np.diff(buckets, axis=1) >= 0).all()
    np.testing.assert_array_equal(buckets[:, -1], state["success"] + state["failed"])
    np.testing.assert_array_equal(buckets[:, -1], state["duration_count"])


def test_the_mean_duration_is_that_of_the_catalogue() -> None:
    state = simulate(days=3)
    for name in ("billing-invoice-export", "sensor-reading-ingest", "docs-scan-ocr"):
        workload = WORKLOADS[ROW[name]]
        mean = state["duration_sum"][ROW[name], -1] / state["duration_count"][ROW[name], -1]
        expected = workload.median_seconds * np.exp(workload.spread**2 / 2)
        assert expected < mean < 1.2 * expected, name  # a busy platform is up to 15 % slower


def test_failures_of_a_quiet_workload_are_those_of_an_honest_die() -> None:
    state = simulate(days=3)
    runs, failed = state["duration_count"][:, -1], state["failed"][:, -1]
    ratio = np.array([workload.failure_ratio for workload in WORKLOADS])
    deviation = (failed - runs * ratio) / np.sqrt(np.maximum(runs * ratio * (1 - ratio), 1))
    assert np.abs(deviation).max() < 4.5
    assert 0.5 < deviation.std() < 1.5


def test_office_work_rests_at_the_weekend_and_a_month_end_is_busier() -> None:
    made, start = platform(days=14)
    state = made.advance(start, 600, 14 * 144)
    daily = np.diff(state["success"][:, ::144], axis=1)
    weekday = ((np.floor(start / DAY) + np.arange(daily.shape[1]) + 3) % 7).astype(int)
    office = [row for row, workload in enumerate(WORKLOADS) if workload.rhythm == "office" and not workload.month_end]
    weekend = daily[office][:, weekday >= 5].mean()
    assert weekend < 0.3 * daily[office][:, weekday < 5].mean()
    closing = [row for row, workload in enumerate(WORKLOADS) if workload.rhythm == "office" and workload.month_end]
    share = daily[closing].sum(axis=0) / daily[office].sum(axis=0)
    close = int(np.argmin(np.abs(start + (np.arange(daily.shape[1]) + 0.5) * DAY - (END - 6 * DAY))))
    assert share[close] > 1.2 * share[:4].mean()


def test_a_nightly_workload_runs_once_a_day_at_its_hour() -> None:
    state = simulate(days=5)
    for row, workload in enumerate(WORKLOADS):
        if workload.rhythm == NIGHTLY:
            total = state["success"][row] + state["failed"][row]
            assert total[-1] == 5, workload.pipeline_id
            assert np.diff(total).max() == 1


def test_the_run_that_will_be_missed_is_due_within_the_demo() -> None:
    made, start = platform(days=2)
    total = made.advance(start, 60, 2 * 1_440)["duration_count"][ROW[MISSED]]
    ran = start + 60 * (np.flatnonzero(np.diff(total)) + 1)
    due = (END + START_UP_SECONDS + MISSED_RUN_AFTER) % DAY
    assert len(ran) == 2
    assert (np.abs(ran % DAY - due) < 600).all()


@pytest.mark.parametrize(
    ("kind", "name", "least"),
    [("failure burst", "failed", 20), ("slow step", "duration_sum", 3), ("level shift", "duration_sum", 2.5)],
)
def test_an_incident_shows_in_its_metric_while_it_lasts(kind: str, name: str, least: float) -> None:
    incident = replace(next(one for one in SCHEDULE if one.kind == kind), start=END - DAY / 2, seconds=3_600)
    added, usual = increase(simulate(incident), name), increase(simulate(), name)
    row, during = ROW[incident.target], slice(721, 779)
    assert added[row, during].sum() > least * usual[row, during].sum()
    assert added[row, :700].sum() == pytest.approx(usual[row, :700].sum(), rel=0.35)


def test_a_cost_leak_grows_to_twelve_times_the_tokens() -> None:
    leak = replace(next(one for one in SCHEDULE if one.kind == "cost leak"), start=END - DAY / 2, seconds=7_200)
    calling = [workload.pipeline_id for workload in WORKLOADS if workload.model]
    row = calling.index(leak.target)
    added, usual = increase(simulate(leak), "cost")[row], increase(simulate(), "cost")[row]
    assert added[830:839].sum() > 8 * usual[830:839].sum()
    assert added[721:735].sum() < 3 * usual[721:735].sum()


def test_a_missed_run_is_missing_and_the_queue_of_a_burst_drains() -> None:
    missed, burst = (
        next(one for one in SCHEDULE if one.kind == kind) for kind in ("missed nightly run", "failure burst")
    )
    made, start = platform(1.0, replace(missed, start=END - DAY, seconds=DAY), burst.at(END - DAY / 2))
    state = made.advance(start, 60, 1_440)
    assert state["duration_count"][ROW[missed.target], -1] == 0
    queue = state["queue"][ROW[burst.target]]
    assert queue[722:726].max() > 100
    assert queue[760:].max() < 40


def test_incidents_planned_in_the_present_leave_the_past_as_it_was() -> None:
    quiet, planned = platform()[0], platform()[0]
    first = quiet.advance(END - DAY, 60, 10)
    planned.advance(END - DAY, 60, 10)
    planned.incidents.extend(placed(SCHEDULE, END - DAY + 600))
    before, after = quiet.advance(END - DAY + 600, 1, 300), planned.advance(END - DAY + 600, 1, 300)
    assert (after["failed"][:, -1] >= first["failed"][:, -1]).all()
    assert after["failed"][ROW["billing-invoice-export"], -1] > before["failed"][ROW["billing-invoice-export"], -1] + 50


def test_late_counts_lose_nothing_and_come_minutes_later() -> None:
    random = np.random.default_rng(1)
    late = LateCounts(1)
    happened = np.zeros((1, 120), dtype=np.int64)
    happened[0, 0] = 100_000
    counted = late.draw(random, happened, 10.0)
    assert counted.sum() == 100_000
    assert 0.94 < counted[0, 0] / 100_000 < 0.97
    delay = (counted[0, 1:] * np.arange(1, 120)).sum() * 10 / counted[0, 1:].sum()
    assert 0.7 * LATE_SECONDS < delay < 1.5 * LATE_SECONDS


def test_slow_noise_has_unit_variance_and_forgets_at_its_pace() -> None:
    noise = SlowNoise(50, memory=100.0)
    random = np.random.default_rng(1)
    noise.draw(random, 100, 10.0)
    values = noise.draw(random, 5_000, 10.0)
    assert 0.9 < values.std() < 1.1
    assert np.corrcoef(values[:, :-10].ravel(), values[:, 10:].ravel())[0, 1] == pytest.approx(np.exp(-1), abs=0.06)


def test_histogram_and_sums_agree_with_a_plain_loop() -> None:
    random = np.random.default_rng(3)
    bounds, shape = np.array([1.0, 2.0, 5.0]), (3, 4)
    cell, values = random.integers(0, 12, 200), random.choice([0.5, 1.0, 1.5, 2.0, 5.0, 9.0], 200)
    plain, total = np.zeros((3, 4, 4)), np.zeros((3, 4))
    for where, value in zip(cell, values, strict=True):
        row, column = divmod(int(where), 4)
        total[row, column] += value
        for index, bound in enumerate([*bounds, np.inf]):
            plain[row, index, column] += value <= bound
    np.testing.assert_array_equal(histogram(cell, values, bounds, shape), plain)
    np.testing.assert_allclose(sums(cell, values, shape), total)


def test_stores_fill_up_day_by_day_without_a_jump_where_the_history_ends() -> None:
    made, start = platform(days=14)
    past = made.advance(start, 600, 14 * 144)
    present = made.advance(END, 5, 24)
    for row, store in enumerate(STORES):
        used = past["artifacts"][row]
        daily = used[: 14 * 144].reshape(14, 144).mean(axis=1)
        assert (daily[7:] - daily[:7]).mean() == pytest.approx(7 * store.growth, rel=0.1, abs=store.daily / 5)
        assert abs(present["artifacts"][row, 0] - used[-1]) < 0.15 * store.daily
        assert np.diff(used).min() > -0.35 * store.daily, "the night's clean-up takes an hour"
        assert used.max() < past["artifacts_size"][row].min()
    assert (np.diff(past["rows"][0]) >= 0).all()
