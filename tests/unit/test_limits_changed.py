"""A limit that is changed: its dates are found anew, and nothing else is learned again."""

import pytest

from exporter.wiring import make_state
from tests.unit.test_service import CONFIG, House, samples

OTHER = CONFIG.replace("value: 215", "value: 150")
NONE = CONFIG.replace(", limits: [{name: full, value: 215, scaling: {unit: 10}}]", "")
FARTHER = CONFIG.replace("query: rate, limits", "query: rate, capacity: {horizons: [1d, 14d]}, limits")
JUDGED = CONFIG.replace("query: rate, limits", "query: rate, direction: above, limits")
FIT = "forethought_model_fit_timestamp_seconds"


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.clock.now = 1_782_822_000.0  # no model is due within the next ten minutes
    return house


def fits(service):
    return {name: when for name, when in samples(service, FIT).items() if ("query", "rate") in name}


def limits(service):
    return {value for name, value in samples(service, "forethought_limit").items() if ("query", "rate") in name}


@pytest.mark.parametrize(("text", "value"), [(OTHER, {150.0}), (FARTHER, {215.0}), (NONE, set())])
def test_a_reload_finds_dates_anew_and_keeps_window_models_and_alarms(house, text, value):
    service = house.service()
    house.cycle(service)
    running, before = service.queries["rate"], fits(service)
    cycle, told = running.cycle, running.cycle.calling.told
    asked = len(house.source.asked)
    (house.path / "forethought.yml").write_text(text)
    service.reload()
    assert service.queries["rate"] is running
    assert (running.cycle, cycle.calling.told) == (cycle, told)
    assert len(house.source.asked) == asked, "no sample is pulled again"
    house.clock.now += 300
    house.cycle(service)
    assert limits(service) == value
    assert all(before[name] == when for name, when in fits(service).items() if ("model", "capacity") not in name)
    if text == FARTHER:
        horizons = {dict(name)["horizon"] for name in samples(service, "forethought_limit_probability")}
        assert horizons == {"1d", "2w"}


def test_a_reload_that_changes_how_series_are_judged_learns_anew(house):
    service = house.service()
    house.cycle(service)
    running = service.queries["rate"]
    (house.path / "forethought.yml").write_text(JUDGED)
    service.reload()
    assert service.queries["rate"] is not running


@pytest.mark.parametrize(("text", "kept"), [(CONFIG, True), (OTHER, False), (FARTHER, False), (NONE, False)])
def test_a_restart_with_another_limit_keeps_the_models_and_finds_dates_anew(house, tmp_path, text, kept):
    folder = make_state(tmp_path / "state")
    first = house.service(state=folder)
    house.cycle(first)
    for running in first.queries.values():
        first._save(running)
    second = house.service(text, state=folder)
    assert samples(second, "forethought_state_restores_total") == {(("outcome", "complete"),): 2}
    house.clock.now += 300
    house.cycle(second)
    models = {dict(name)["model"] for name in fits(second)}
    assert models == (set() if kept or text == NONE else {"capacity"})
    assert limits(second) == {CONFIG: {215.0}, OTHER: {150.0}, FARTHER: {215.0}, NONE: set()}[text]


def test_a_limit_that_is_new_after_a_restart_needs_no_new_models(house, tmp_path):
    folder = make_state(tmp_path / "state")
    first = house.service(NONE, state=folder)
    house.cycle(first)
    first._save(first.queries["rate"])
    second = house.service(state=folder)
    house.clock.now += 300
    house.cycle(second)
    assert {dict(name)["model"] for name in fits(second)} == {"capacity"}
    assert limits(second) == {215.0}
