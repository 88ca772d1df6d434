"""The servers' configuration files, rewritten for the ports and folders of this run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from demo.ports import HOST, Ports

CHECKOUT = Path(__file__).resolve().parent.parent
PROMETHEUS = CHECKOUT / "deploy" / "prometheus.yml"
RULES = CHECKOUT / "alertmanager" / "rules"
ALERTMANAGER = CHECKOUT / "alertmanager" / "alertmanager.yml"
FORETHOUGHT = CHECKOUT / "demo" / "forethought.yml"
SIDECAR_JOB = "forethought"
SIDECAR_IN_RULES = "http://localhost:9815"
ALERTS_API = "/api/v1/alerts"


@dataclass(frozen=True)
class State:
    """Where this run keeps its files."""

    folder: Path

    @property
    def prometheus(self) -> Path:
        """Prometheus' configuration."""
        return self.folder / "prometheus.yml"

    @property
    def alertmanager(self) -> Path:
        """Alertmanager's configuration."""
        return self.folder / "alertmanager.yml"

    @property
    def forethought(self) -> Path:
        """The sidecar's configuration."""
        return self.folder / "forethought.yml"

    @property
    def rules(self) -> Path:
        """Folder of the alert rules."""
        return self.folder / "rules"

    @property
    def ports(self) -> Path:
        """The ports in use, for commands that talk to this run."""
        return self.folder / "ports.json"

    def read_ports(self) -> Ports:
        """The ports in use. Raises FileNotFoundError where no demo has written them."""
        return Ports(**json.loads(self.ports.read_text(encoding="utf-8")))

    @property
    def notifications(self) -> Path:
        """What the receiver got."""
        return self.folder / "notifications.json"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.folder / "logs"


def write_all(state: State, ports: Ports) -> None:
    """Write the ports and the three configurations; Prometheus' as long as there is no sidecar."""
    state.ports.write_text(json.dumps(asdict(ports)) + "\n", encoding="utf-8")
    _write(state.prometheus, without_sidecar(prometheus(_read(PROMETHEUS), state.rules, ports)))
    _write(state.alertmanager, alertmanager(_read(ALERTMANAGER), ports))
    _write(state.forethought, forethought(_read(FORETHOUGHT), ports))


def write_with_sidecar(state: State, ports: Ports) -> None:
    """Write rules, and Prometheus' configuration, for the time when the sidecar runs."""
    state.rules.mkdir(exist_ok=True)
    for path in RULES.glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace(SIDECAR_IN_RULES, ports.url("sidecar"))
        (state.rules / path.name).write_text(text, encoding="utf-8")
    _write(state.prometheus, prometheus(_read(PROMETHEUS), state.rules, ports))


def without_sidecar(config: Any) -> Any:
    """The configuration without the sidecar and the rules, which would alert that it is down."""
    jobs = [job for job in config["scrape_configs"] if job["job_name"] != SIDECAR_JOB]
    return config | {"rule_files": [], "scrape_configs": jobs}


def prometheus(config: Any, rules: Path, ports: Ports) -> Any:
    """Prometheus' configuration with this run's addresses and rules."""
    config["rule_files"] = [str(rules / "*.yml")]
    config["alerting"]["alertmanagers"] = [{"static_configs": [_static(ports.alertmanager)]}]
    addresses = {"prometheus": ports.prometheus, "alertmanager": ports.alertmanager, SIDECAR_JOB: ports.sidecar}
    for job in config["scrape_configs"]:
        if "http_sd_configs" in job:
            job["http_sd_configs"][0]["url"] = ports.url("load") + "/targets"
        else:
            job["static_configs"] = [_static(addresses[job["job_name"]])]
    return config


def alertmanager(config: Any, ports: Ports) -> Any:
    """Alertmanager's configuration with every webhook pointed to this run's sidecar or receiver."""
    folder = ALERTMANAGER.parent
    config["templates"] = [str(folder / pattern) for pattern in config.get("templates", [])]
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            path = urlsplit(webhook["url"]).path
            webhook["url"] = ports.url("sidecar" if path == ALERTS_API else "receiver") + path
    return config


def forethought(config: Any, ports: Ports) -> Any:
    """The sidecar's configuration with this run's Prometheus and Alertmanager."""
    config["source"]["url"] = ports.url("prometheus")
    config["alertmanager"]["url"] = ports.url("alertmanager")
    return config


def _static(port: int) -> dict[str, list[str]]:
    return {"targets": [f"{HOST}:{port}"]}


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _write(path: Path, config: Any) -> None:
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
