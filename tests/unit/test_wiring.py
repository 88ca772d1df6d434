"""What the configuration says by default is what the models do by default: the benches measure those."""

from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from detectors import DETECTORS
from detectors.ensemble import Ensemble
from detectors.suppress import Suppression
from exporter.config import Forecaster, Query, Source
from exporter.config_file import ConfigError
from exporter.telemetry import Telemetry
from exporter.wiring import make_detector, make_forecaster, make_judge, make_plan, make_source, make_suppression
from forecasting import FORECASTERS
from forecasting.external import EXTRA_FORECASTERS
from forecasting.harmonic import HarmonicRegression
from series import Calendar, Window
from series.occasions import Occasions

QUERY = Query(name="up", query="up")


@pytest.mark.parametrize(
    ("made", "plain"),
    [
        (make_detector(QUERY), Ensemble()),
        (make_forecaster(QUERY), HarmonicRegression()),
        (make_suppression(QUERY), Suppression()),
    ],
    ids=["detector", "forecaster", "suppression"],
)
def test_defaults_are_those_of_the_models(made, plain):
    for field in fields(plain):
        assert getattr(made, field.name) == getattr(plain, field.name), field.name


@pytest.mark.parametrize("name", ["ensemble", "seasonal"])
def test_detectors_with_a_baseline_heed_the_calendar(name):
    occasions = Occasions(Calendar("Europe/Berlin"))
    query = Query(name="a", query="up", detector=name)
    assert make_detector(query, occasions).occasions is occasions
    judge = make_plan(query, occasions).detector()
    assert getattr(judge, "detector", judge).occasions is occasions


def test_every_forecaster_can_be_configured():
    assert set(get_args(Forecaster)) == set(FORECASTERS) | set(EXTRA_FORECASTERS)
    for name, chosen in FORECASTERS.items():
        query = Query(name="up", query="up", timezone="Europe/Berlin", forecast={"forecaster": name})
        made = make_forecaster(query)
        assert isinstance(made, chosen)
        assert made.timezone == "Europe/Berlin"


def test_a_header_that_cannot_be_sent_is_refused():
    with pytest.raises(ConfigError, match="source: headers must be of printable ASCII"):
        make_source(Source.model_construct(headers={"X-Tenant": "ä\n"}), Telemetry())


def test_every_detector_of_the_registry_can_be_named():
    names = get_args(Query.model_fields["detector"].annotation)
    assert set(names) == set(DETECTORS)
    for name in names:
        query = Query(name="a", query="up", detector=name)
        assert make_judge(query).fit(Window.of([np.arange(50.0) % 7], step=60)).members_
