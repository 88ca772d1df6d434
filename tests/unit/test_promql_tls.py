"""Certificates: the server's, and our own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sources.connection import Connection
from sources.errors import SourceUnavailable
from sources.promql import PromqlClient
from tests.fakes.http_server import FakeServer, always

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")
OK = b'{"status":"success"}'


@dataclass(frozen=True)
class Certificate:
    """A self-signed one, which is its own authority."""

    cert: Path
    key: Path


def make(folder: Path, name: str) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-out", made.cert, "-keyout", made.key], check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture
def server(certificate: Certificate) -> Iterator[FakeServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    with FakeServer(always(200, OK), context) as running:
        yield running


def fetch(connection: Connection) -> bytes:
    client = PromqlClient(connection, sleep=lambda _: None)
    try:
        return bytes(client.fetch("up", "/api/v1/query_range", {}))
    finally:
        client.close()


def test_an_unknown_certificate_is_refused_at_once(server: FakeServer) -> None:
    with pytest.raises(SourceUnavailable, match=r"must be reachable\. Got .*self.signed certificate"):
        fetch(Connection(url=server.url))
    assert not server.requests


def test_an_authority_can_be_given(server: FakeServer, certificate: Certificate) -> None:
    assert fetch(Connection(url=server.url, ca_file=certificate.cert)) == OK


def test_verification_can_be_left_out_without_a_warning(server: FakeServer) -> None:
    assert fetch(Connection(url=server.url, insecure_skip_verify=True)) == OK


def test_a_missing_authority_is_named(server: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere\.pem"):
        fetch(Connection(url=server.url, ca_file=tmp_path / "nowhere.pem"))


def test_our_own_certificate_is_shown_where_asked_for(certificate: Certificate, tmp_path: Path) -> None:
    ours = make(tmp_path, "ours")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    context.load_verify_locations(ours.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    with FakeServer(always(200, OK), context) as server:
        shown = Connection(url=server.url, ca_file=certificate.cert, cert_file=ours.cert, key_file=ours.key)
        assert fetch(shown) == OK
        with pytest.raises(SourceUnavailable):
            fetch(Connection(url=server.url, ca_file=certificate.cert))
        missing = Connection(url=server.url, ca_file=certificate.cert, cert_file=tmp_path / "no", key_file=ours.key)
        with pytest.raises(SourceUnavailable, match="must be reachable"):
            fetch(missing)
