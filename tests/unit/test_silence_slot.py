"""Silent and still series of a query: told while it is news, once, and the same after a restart."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.models.silence import SilenceSlot
from exporter.service import Service
from exporter.wiring import make_state
from series import Grid, SeriesKey, Window
from series.store import RingStore
from sources.base import Answer

START = 1_782_820_800


def window_of(values, keys=None):
    values = np.asarray(values, dtype=float)
    keys = keys or tuple(SeriesKey({"disk": str(row)}) for row in range(len(values)))
    return Window(keys, START + 60.0 * np.arange(values.shape[1]), values)


def silent_steps(values):
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), known[:, ::-1].argmax(axis=1), values.shape[1])


def judged(slot, values, keys=None, quiet=None):
    window = window_of(values, keys)
    slot.place(window.keys)
    return slot.judge(window, silent_steps(window.values), np.zeros(window.n_series, bool) if quiet is None else quiet)


def lively(n_series, n_steps=400, seed=0):
    return np.random.default_rng(seed).normal(size=(n_series, n_steps))


def learned(values, keys=None):
    slot = SilenceSlot(step=60.0)
    history = window_of(values, keys)
    slot.place(history.keys)
    slot.learn(np.arange(history.n_series), history)
    return slot


def ended(values, row, steps):
    after = np.concatenate([values[:, 1:], lively(len(values), steps, seed=1)], axis=1)
    after[row, -steps:] = np.nan
    return after


def test_a_series_is_silent_once_it_lasts_longer_than_ever_and_for_a_day():
    values = lively(4)
    values[1, 100:120] = np.nan  # its longest silence: 20 steps, so 33 are granted
    slot = learned(values)
    scores = [judged(slot, ended(values, 1, steps)).silence[1] for steps in (1, 33, 34, 33 + 1440, 34 + 1440)]
    assert scores[:4] == pytest.approx([1 / 33, 1, 34 / 33, 1473 / 33])
    assert np.isnan(scores[4])
    assert np.isnan(judged(slot, ended(values, 1, 40)).silence[[0, 2, 3]]).all()
    assert np.isnan(judged(slot, values).silence).all()


def test_a_series_of_which_nothing_was_learned_is_not_called_silent():
    slot = SilenceSlot(step=60.0)
    assert np.isnan(judged(slot, ended(lively(3), 0, 50)).silence).all()


@pytest.mark.parametrize("steps", [1, 5, 9, 30, 100, 280])
def test_stillness_counts_the_steps_since_the_last_change(steps):
    values = lively(3)
    slot = learned(values)
    values[0, -steps - 1 :] = 7.0
    values[0, -steps // 2] = np.nan if steps > 3 else 7.0  # a gap is no change
    found = judged(slot, values)
    assert found.stillness[0] == pytest.approx(steps / 3)
    assert np.isnan(found.stillness[1:]).all()


def test_what_mostly_stands_still_may():
    values = np.repeat(lively(2, 40), 10, axis=1)
    assert np.isnan(judged(learned(values), np.full((2, 400), 1.0)).stillness).all()


HOSTS = tuple(SeriesKey({"instance": name, "disk": str(disk)}) for name in ("a", "b") for disk in range(4))


def test_a_dead_exporter_is_one_outage_and_no_silent_series():
    values = lively(8)
    slot = learned(values, HOSTS)
    found = judged(slot, ended(values, slice(0, 4), 5), HOSTS)
    assert [(outage.label, outage.value, outage.rows) for outage in found.outages] == [("instance", "a", (0, 1, 2, 3))]
    assert np.isnan(found.silence).all()
    alone = judged(slot, ended(values, [0, 5], 5), HOSTS)
    assert alone.outages == ()
    assert np.flatnonzero(alone.silence > 1).tolist() == [0, 5]


def test_of_what_people_keep_quiet_nothing_is_told():
    values = lively(8)
    quiet = np.arange(8) < 4
    found = judged(learned(values, HOSTS), ended(values, slice(0, 4), 5), HOSTS, quiet)
    assert found.outages == ()
    assert np.isnan(found.silence).all()


def test_what_was_learned_follows_a_series_to_another_row_and_over_a_restart():
    values = lively(8)
    slot = learned(values, HOSTS)
    other = SilenceSlot(step=60.0)
    other.load(slot.dump(list(HOSTS).index), HOSTS)
    for each in (slot, other):
        found = judged(each, ended(values[[6, 2]], 1, 9), (HOSTS[6], HOSTS[2]))
        assert found.silence[1] == pytest.approx(3.0)


def test_the_store_knows_how_long_its_series_are_silent():
    store = RingStore(step=60, n_steps=10)
    grid = Grid(START, 60, 10)
    store.advance(grid)
    values = np.full((3, 10), 1.0)
    values[1, 6:] = values[2] = np.nan
    store.merge(window_of(values), grid)
    assert store.silent_steps.tolist() == [0, 4, 10]
    store.advance(Grid(START + 120, 60, 10))
    assert store.silent_steps.tolist() == [2, 6, 10]


def test_a_sample_that_a_late_pull_no_longer_has_was_not_the_last_one():
    store, grid = RingStore(step=60, n_steps=10), Grid(START, 60, 10)
    store.advance(grid)
    store.merge(window_of(np.full((2, 10), 1.0)), grid)
    store.advance(Grid(START + 60, 60, 10))
    only = Window(window_of(np.ones((2, 1))).keys[:1], np.array([START + 540.0]), np.ones((1, 1)))
    store.merge(only, Grid(START + 540, 60, 1))
    assert store.silent_steps.tolist() == [1, 2]


CONFIG = """
defaults: {step: 5m, history: 4d, latency: 0s, forecast: {horizons: []}}
queries:
  - {name: rate, query: rate}
  - {name: watched, query: rate, shadow: true}
"""


@dataclass
class Dying:
    """Eight lively series, of which those of `dead` deliver nothing any more."""

    dead: set = field(default_factory=set)
    since: float = 0.0

    def read_range(self, query, grid, *, series_limit):
        rows = np.sin(np.outer(np.arange(1, 9), grid.times * 7919.0))
        for row in self.dead:
            rows[row, grid.times > self.since] = np.nan
        return Answer(Window(HOSTS, grid.times, rows), samples=rows.size)

    def close(self):
        pass


def samples(service, name):
    families = text_string_to_metric_families(service.page.body().decode())
    found = [sample for family in families for sample in family.samples if sample.name == f"forethought_{name}"]
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found}


def test_a_dead_exporter_on_the_page_also_after_a_restart(tmp_path):
    file, folder, source, now = tmp_path / "f.yml", make_state(tmp_path / "state"), Dying(), [float(START)]
    file.write_text(CONFIG)

    def service():
        made = Service(file, folder, lambda: now[0], connect=lambda settings, telemetry: source)
        for query in made.config.queries:
            made._add(query)
        return made

    def cycle(running):
        now[0] += 300
        for each in running.queries.values():
            running._run(each)

    running = service()
    cycle(running)
    assert samples(running, "silence_score") == samples(running, "outage_series") == {}
    source.dead, source.since = {0, 1, 2, 3, 6}, now[0]
    for _ in range(4):
        cycle(running)
    outage = {(("label", "instance"), ("query", "rate"), ("value", "a")): 4.0}
    lonely = (("disk", "2"), ("instance", "b"), ("query", "rate"))
    assert samples(running, "outage_series") == outage
    assert samples(running, "silence_score") == {lonely: pytest.approx(4 / 3)}
    running.stop()
    running = service()
    cycle(running)
    assert samples(running, "outage_series") == outage
    assert samples(running, "silence_score") == {lonely: pytest.approx(5 / 3)}
    source.dead = set()
    cycle(running)
    assert samples(running, "silence_score") == samples(running, "outage_series") == {}
    assert len(samples(running, "value")) == 16


def test_stillness_goes_on_from_cycle_to_cycle_as_if_looked_at_anew():
    rng = np.random.default_rng(3)
    values = lively(6, 500)
    values[0, 405:] = values[1, 410:430] = values[2, 408:] = 1.0
    values[2, 415:418] = values[0, 440] = values[3, 450:] = np.nan
    slot = learned(values[:, :400])
    for end in np.cumsum(rng.integers(1, 12, 14)) + 400:
        window = window_of(values[:, end - 400 : end])
        window = Window(window.keys, window.times + 60.0 * end, window.values)
        found = []
        for each in (slot, SilenceSlot(60.0)):
            each.load(slot.dump(list(window.keys).index), window.keys)
            found.append(each.judge(window, silent_steps(window.values), np.zeros(6, bool)).stillness)
        np.testing.assert_array_equal(*found)
