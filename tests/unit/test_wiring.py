"""What the configuration says by default is what the models do by default: the benches measure those."""

from dataclasses import fields
from typing import get_args

import pytest

from detectors.ensemble import Ensemble
from detectors.suppress import Suppression
from exporter.config import Forecaster, Query, Source
from exporter.config_file import ConfigError
from exporter.telemetry import Telemetry
from exporter.wiring import make_detector, make_forecaster, make_source, make_suppression
from forecasting import FORECASTERS
from forecasting.harmonic import HarmonicRegression

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


def test_every_forecaster_can_be_configured():
    assert set(get_args(Forecaster)) == set(FORECASTERS)
    for name, chosen in FORECASTERS.items():
        query = Query(name="up", query="up", timezone="Europe/Berlin", forecast={"forecaster": name})
        made = make_forecaster(query)
        assert isinstance(made, chosen)
        assert made.timezone == "Europe/Berlin"


def test_a_header_that_cannot_be_sent_is_refused():
    with pytest.raises(ConfigError, match="source: headers must be of printable ASCII"):
        make_source(Source.model_construct(headers={"X-Tenant": "ä\n"}), Telemetry())
