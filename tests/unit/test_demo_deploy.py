"""The files of the demo fit together: what make demo and docker compose start, and what they are given."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo import configure
from demo.incidents import SCHEDULE
from demo.ports import Ports
from demo.workloads import read_workloads

CHECKOUT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "deploy" / "Dockerfile").read_text().splitlines()
PORTS = Ports.from_base(20_000)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture
def state(tmp_path: Path) -> configure.State:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    written = configure.State(folder)
    configure.write_all(written, PORTS)
    return written


def test_nothing_can_alert_that_the_sidecar_is_down_before_it_is_started(state: configure.State) -> None:
    config = read(state.prometheus)
    assert config["rule_files"] == []
    assert "forethought" not in [job["job_name"] for job in config["scrape_configs"]]


def test_prometheus_scrapes_this_run_s_ports_and_reads_the_rules(state: configure.State) -> None:
    configure.write_with_sidecar(state, PORTS)
    config = read(state.prometheus)
    text = state.prometheus.read_text()
    assert config["rule_files"] == [f"{state.folder}/rules/*.yml"]
    assert {path.name for path in state.rules.iterdir()} == {path.name for path in configure.RULES.iterdir()}
    rules = (state.rules / "forethought.yml").read_text()
    assert "http://127.0.0.1:20002/verdict?query=" in rules
    assert "localhost:9815" not in rules
    assert "127.0.0.1:9" not in text
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["forethought"]["honor_labels"] is True
    assert jobs["forethought"]["static_configs"] == [{"targets": ["127.0.0.1:20002"]}]
    assert jobs["platform"]["http_sd_configs"][0]["url"] == "http://127.0.0.1:20003/targets"
    assert config["alerting"]["alertmanagers"] == [{"static_configs": [{"targets": ["127.0.0.1:20001"]}]}]


def test_every_receiver_of_alertmanager_points_to_this_run_s(state: configure.State) -> None:
    config = read(state.alertmanager)
    urls = {hook["url"] for receiver in config["receivers"] for hook in receiver["webhook_configs"]}
    assert urls == {"http://127.0.0.1:20004/hook", "http://127.0.0.1:20002/api/v1/alerts"}
    for pattern in config["templates"]:
        assert list(Path("/").glob(pattern.lstrip("/")))
    original = read(configure.ALERTMANAGER)
    assert config["route"] == original["route"]
    assert config["inhibit_rules"] == original["inhibit_rules"]


def test_the_sidecar_asks_this_run_s_prometheus_and_is_otherwise_unchanged(state: configure.State) -> None:
    config, original = read(state.forethought), read(configure.FORETHOUGHT)
    assert config["source"]["url"] == "http://127.0.0.1:20000"
    assert config["alertmanager"]["url"] == "http://127.0.0.1:20001"
    assert config["queries"] == original["queries"]


def test_no_query_knows_the_incidents() -> None:
    text = configure.FORETHOUGHT.read_text()
    assert not [one.target for one in SCHEDULE if one.target != "llm-gateway" and one.target in text]
    assert not [workload.pipeline_id for workload in read_workloads() if workload.pipeline_id in text]


def test_files_that_compose_mounts_exist() -> None:
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    assert mounted
    assert [path for path in mounted if not (CHECKOUT / path).exists()] == []


def test_ports_of_compose_are_unique_and_those_of_make_demo() -> None:
    published = [port.split(":") for service in SERVICES.values() for port in service.get("ports", [])]
    assert Counter(port for _, port, _ in published).most_common(1)[0][1] == 1
    assert {host for host, _, _ in published} == {"127.0.0.1"}
    wanted = {str(port) for port in (9090, 9093, 9815, 9816, 9817, 9818, 3000)}
    assert {port for _, port, _ in published} == wanted == {inner for _, _, inner in published}


def test_what_compose_publishes_listens_on_more_than_its_own_loopback() -> None:
    for name in ("receiver", "load"):
        assert "--host=0.0.0.0" in SERVICES[name]["entrypoint"], name
    assert "--web.listen-address=:9815" in SERVICES["forethought"]["command"]


def test_every_service_of_compose_has_a_health_check_and_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        assert name == "prometheus" or service["network_mode"] == "service:prometheus", name
    assert SERVICES["forethought"]["depends_on"] == {"load": {"condition": "service_healthy"}}


def test_images_are_pinned_and_built_from_stages_that_exist() -> None:
    stages = {line.split()[-1] for line in DOCKERFILE if line.startswith("FROM")}
    for name, service in SERVICES.items():
        if build := service.get("build"):
            assert (CHECKOUT / build["dockerfile"]).is_file()
            assert build["target"] in stages
        else:
            assert ":" in service["image"], name
            assert not service["image"].endswith(":latest"), name


def test_the_image_holds_what_it_copies_runs_as_nobody_special_and_says_how_it_is() -> None:
    copied = [word for line in DOCKERFILE if line.startswith("COPY") for word in line.split()[1:-1]]
    assert [path for path in copied if not (CHECKOUT / path).exists()] == []
    sent = {
        line[1:]
        for line in (CHECKOUT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
        if line[:1] == "!"
    }
    assert sent == set(copied)
    assert "FROM python:3.11-slim AS base" in DOCKERFILE
    assert "USER 10001" in DOCKERFILE
    assert any(line.startswith("HEALTHCHECK") for line in DOCKERFILE)
