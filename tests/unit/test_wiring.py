"""What the configuration says by default is what the models do by default: the benches measure those."""

import subprocess
import sys
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from detectors.by_name import BY_NAME, available
from detectors.ensemble import Ensemble
from detectors.suppress import Suppression
from exporter.config import Query
from exporter.config_detectors import Detector
from exporter.config_file import ConfigError
from exporter.config_forecast import Forecaster
from exporter.config_load import parse_config
from exporter.config_source import Source
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


def test_what_verdicts_teach_leaves_the_calendar_and_the_rest_as_it_is():
    occasions = Occasions(Calendar("Europe/Berlin"))
    query = Query(name="a", query="up", direction="above")
    weighted = make_plan(query, occasions).weighted
    assert weighted is not None
    made = weighted({"seasonal": 1.5})
    assert vars(made) == {**vars(make_detector(query, occasions)), "weights": {"seasonal": 1.5}}


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


def test_every_detector_can_be_named():
    assert get_args(Detector) == tuple(BY_NAME)
    for name in available():
        query = Query(name="a", query="up", detector=name)
        assert make_judge(query).fit(Window.of([np.arange(50.0) % 7], step=60)).members_


def test_a_detector_without_its_library_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyod", None)  # as if it were not there
    with pytest.raises(ConfigError) as caught:
        parse_config("f.yml", "queries:\n  - {name: a, query: up, detector: knn}")
    assert str(caught.value) == (
        "f.yml:2: queries[0].detector: detector knn needs pyod: pip install 'forethought[outliers]'."
    )


def test_start_up_loads_no_library_of_a_detector_that_is_not_configured():
    heavy = "sklearn, statsmodels, pyod, scipy, pandas, numba"
    ask = (
        "import sys; from exporter.config_load import parse_config; from exporter.wiring import make_judge\n"
        "config = parse_config('f.yml', 'queries: [{name: a, query: up, detector: ' + sys.argv[1] + '}]')\n"
        f"make_judge(config.queries[0]); print([name for name in '{heavy}'.split(', ') if name in sys.modules])"
    )
    for name in ("ensemble", "autoencoder", "knn"):  # a fit loads it, no configuration does
        found = subprocess.run([sys.executable, "-c", ask, name], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "[]", name
