"""How a server is reached: address, credentials, certificates, limits."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase, HTTPBasicAuth


class CredentialsUnreadable(Exception):
    """A file of credentials cannot be used at the moment. The message holds its path, never its content."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where a Prometheus-compatible server is, and how it is spoken to.

    Parameters
    ----------
    url : str
        ``http`` or ``https``, with the path prefix of the server where it has one, without ``/api/v1``.
    method : str, default "POST"
        ``POST`` sends long queries in the body, as a form. ``GET`` is for proxies that allow nothing else.
    headers : mapping of str to str
        Sent with every request, such as a tenant's ``X-Scope-OrgID``.
    params : mapping of str to str or sequence of str
        Sent with every request, such as Thanos' ``dedup``; a sequence as one parameter for each of its values.
    username, password_file : str, Path
        HTTP basic authentication. The file is read for every request, so a password can be changed.
    bearer_token_file : Path
        The same for a bearer token.
    ca_file : Path
        PEM file of the authorities to trust. By default those of the system, else those of certifi.
    cert_file, key_file : Path
        PEM files of our own certificate and its key.
    insecure_skip_verify : bool, default False
        Take any certificate, without a warning at each request.
    trust_env : bool, default False
        Let ``HTTP_PROXY``, ``REQUESTS_CA_BUNDLE`` and ``~/.netrc`` have a say.
    connect_timeout, timeout : float
        Seconds until a connection stands, and for a whole request with its repetitions and its body.
    retries : int, default 2
        Repetitions after a connection error, 429, 502, 503 or 504.
    backoff, max_backoff : float
        Seconds before the first repetition, doubled for each further one, and the most of them. Where the server asks
        for a longer pause (``Retry-After``), the request is given up.
    compression : bool, default False
        Ask for gzip. It costs the server five times more than it saves on a local network.
    max_body_bytes : int, default 1 GB
        Largest answer taken, unpacked.
    user_agent : str

    Raises
    ------
    ValueError
        For values that cannot be, by name. No secret is in the message.
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    username: str | None = None
    password_file: Path | None = None
    bearer_token_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False
    trust_env: bool = False
    connect_timeout: float = 5.0
    timeout: float = 60.0
    retries: int = 2
    backoff: float = 0.5
    max_backoff: float = 10.0
    compression: bool = False
    max_body_bytes: int = 1_000_000_000
    user_agent: str = "forethought"

    def __post_init__(self) -> None:
        self._check_url()
        self._check_credentials()
        if self.method not in ("GET", "POST"):
            raise ValueError(f"method must be GET or POST. Got {self.method!r}.")
        for name in ("connect_timeout", "timeout", "max_body_bytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0. Got {getattr(self, name)!r}.")
        for name in ("retries", "backoff", "max_backoff"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more. Got {getattr(self, name)!r}.")

    def _check_credentials(self) -> None:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file must be given together.")
        if self.username is not None and self.bearer_token_file is not None:
            raise ValueError("username and bearer_token_file must not be given together.")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file must be given together.")
        for name, value in self.headers.items():
            if not (name + value).isprintable() or not (name + value).isascii():
                raise ValueError(f"headers must be of printable ASCII characters. Got others in {name!a}.")

    def _check_url(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url must be http://... or https://... Got {shown_url(self.url)!r}.")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"url must not hold credentials. Got some in {shown_url(self.url)!r}.")

    def address(self, path: str) -> str:
        """URL of an API path."""
        return self.url.rstrip("/") + path


def connect(connection: Connection) -> PrometheusConnect:
    """Open a session of prometheus-api-client, set up as asked for. No request is sent."""
    session = requests.Session()
    session.trust_env = connection.trust_env
    session.headers["User-Agent"] = connection.user_agent
    session.headers["Accept-Encoding"] = "gzip" if connection.compression else "identity"
    session.headers.update(connection.headers)
    session.verify = _verify(connection)
    if connection.insecure_skip_verify:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if connection.cert_file and connection.key_file:
        session.cert = (str(connection.cert_file), str(connection.key_file))
    session.auth = _auth(connection)
    return PrometheusConnect(
        url=connection.url.rstrip("/"),
        session=session,
        auth=session.auth,
        # Repetitions are ours: the adapter's know neither the time that is left nor a body that breaks off.
        retry=urllib3.Retry(0, read=False),
        timeout=(connection.connect_timeout, connection.timeout),
        method=connection.method,
    )


def shown_url(url: str) -> str:
    """A URL as it may appear in a log: without credentials, parameters and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _verify(connection: Connection) -> bool | str:
    if connection.insecure_skip_verify:
        return False
    if connection.ca_file:
        return str(connection.ca_file)
    system = ssl.get_default_verify_paths()
    if system.cafile:
        return system.cafile
    if system.capath and any(Path(system.capath).iterdir()):
        return system.capath
    return True


def _auth(connection: Connection) -> AuthBase | None:
    if connection.username is not None and connection.password_file is not None:
        return _BasicFromFile(connection.username, connection.password_file)
    if connection.bearer_token_file is not None:
        return _BearerFromFile(connection.bearer_token_file)
    return None


@dataclass(frozen=True)
class _BasicFromFile(AuthBase):
    username: str
    path: Path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        basic: AuthBase = HTTPBasicAuth(self.username.encode(), _secret("password_file", self.path).encode())
        signed: requests.PreparedRequest = basic(request)
        return signed


@dataclass(frozen=True)
class _BearerFromFile(AuthBase):
    path: Path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = _secret("bearer_token_file", self.path)
        # Anything else would break the header, and the library's error would show the token.
        if not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialsUnreadable(f"bearer_token_file {self.path} must hold one token. Got other characters.")
        request.headers["Authorization"] = f"Bearer {token}"
        return request


def _secret(name: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip("\r\n\t ")
    except OSError as error:
        raise CredentialsUnreadable(f"{name} {path} must be readable. Got {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CredentialsUnreadable(f"{name} {path} must be text in UTF-8. Got other bytes.") from error
    if not secret:
        raise CredentialsUnreadable(f"{name} {path} must not be empty.")
    return secret
