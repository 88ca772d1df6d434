"""Forecasters of libraries that may be missing: refused by name without them, and a pretrained model from a folder."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from exporter.config import Query
from exporter.config_file import ConfigError
from exporter.config_load import parse_config
from exporter.wiring import make_forecaster
from forecasting.external import EXTRA_FORECASTERS, Chronos
from series import Window

MISSING = sorted(name for name, kind in EXTRA_FORECASTERS.items() if not find_spec(kind.package))
needs_chronos = pytest.mark.skipif(find_spec("chronos") is None, reason="chronos-forecasting is not installed")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model far too small to know anything, with random weights."""
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.manual_seed(3)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2}
    config = transformers.T5Config(**sizes, vocab_size=2, is_gated_act=False, decoder_start_token_id=0, pad_token_id=0)
    config.chronos_config = {
        "context_length": 128,
        "prediction_length": 16,
        "input_patch_size": 8,
        "input_patch_stride": 8,
        "quantiles": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        "use_reg_token": True,
    }
    config.architectures = ["ChronosBoltModelForForecasting"]
    folder = tmp_path_factory.mktemp("weights")
    import_module("chronos.chronos_bolt").ChronosBoltModelForForecasting(config).save_pretrained(folder)
    return folder


def waves(n_series: int = 3) -> Window:
    hours = np.arange(24 * 8)
    noise = np.random.default_rng(1).normal(0, 0.1, (n_series, len(hours)))
    return Window.of(10 + np.sin(2 * np.pi * hours / 24) + noise, step=3600)


@pytest.mark.parametrize("name", MISSING)
def test_a_name_whose_library_is_missing_is_refused_where_it_stands(name: str) -> None:
    weights = ", weights: /srv/weights" if name == "chronos" else ""
    text = f"queries:\n  - {{name: a, query: up, forecast: {{forecaster: {name}{weights}}}}}"
    extra = EXTRA_FORECASTERS[name].extra
    assert f"\n{extra} =\n" in Path("setup.cfg").read_text()
    with pytest.raises(ConfigError, match=rf"f\.yml:2: queries\[0\]\.forecast: .*pip install 'forethought\[{extra}\]'"):
        parse_config("f.yml", text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"forecaster": "chronos"}, "chronos needs weights"),
        ({"forecaster": "theta", "weights": "/srv/weights"}, "weights goes with the forecaster chronos alone"),
    ],
)
def test_weights_go_with_the_pretrained_model_alone(settings: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Query(name="a", query="up", forecast=settings)


@needs_chronos
def test_a_folder_that_is_no_such_model_is_refused_in_the_constructor(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ValueError, match=r"must be a folder with config\.json\. Got .*absent"):
        Chronos(weights=tmp_path / "absent")
    for described in ("", "[]", json.dumps({"architectures": ["BertModel"]})):
        (tmp_path / "config.json").write_text(described)
        (tmp_path / "model.safetensors").write_bytes(b"")
        with pytest.raises(ValueError, match="must hold a ChronosBoltModelForForecasting"):
            Chronos(weights=tmp_path)


@needs_chronos
def test_weights_that_are_broken_are_an_error_and_not_a_naive_forecast(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "config.json").write_bytes((weights / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="must hold weights of its model"):
        Chronos(weights=tmp_path).fit(waves())


@needs_chronos
def test_the_pretrained_model_forecasts_from_its_folder(weights: Path) -> None:
    query = Query(name="a", query="up", forecast={"forecaster": "chronos", "weights": str(weights)})
    forecast = make_forecaster(query).fit(waves()).forecast(40)
    assert np.isfinite([forecast.lower, forecast.mean, forecast.upper]).all()
    assert (forecast.lower <= forecast.mean).all()
    assert (forecast.mean <= forecast.upper).all()
    assert (np.ptp(forecast.mean, axis=1) > 0).all()  # the model speaks, not the last value in its place


@needs_chronos
def test_rows_of_the_pretrained_model_do_not_see_each_other(weights: Path) -> None:
    whole = waves(n_series=3)
    together = Chronos(weights=weights).fit(whole).forecast(20)
    alone = Chronos(weights=weights).fit(Window.of(whole.values[1:2], step=3600)).forecast(20)
    np.testing.assert_array_equal(alone.mean[0], together.mean[1])
    np.testing.assert_array_equal(alone.upper[0], together.upper[1])
