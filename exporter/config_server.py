"""Parts of the configuration that say how a server is reached; shared by what we ask and what we write to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from exporter.duration import Duration

# Also of an address that is none: the message about it must not show a password.
_WITH_USER = re.compile(r"([A-Za-z]+:)?/*[^/?#]*@")
# What HTTP allows as the name of a header (RFC 9110, token).
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _positive(value: Duration) -> Duration:
    if value <= 0:
        raise ValueError(f"must be above 0s. Got {value}.")
    return value


def at_most(longest: Duration) -> AfterValidator:
    """Refuse what is longer: it can only be a slip of the pen."""

    def check(value: Duration) -> Duration:
        if value > longest:
            raise ValueError(f"must be at most {longest}. Got {value}.")
        return value

    return AfterValidator(check)


PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
# How long one waits for an answer, or between two.
Wait = Annotated[PositiveDuration, at_most(Duration(86_400))]
# How long something that was found counts as the present.
Age = Annotated[PositiveDuration, at_most(Duration(30 * 86_400))]


class Section(BaseModel):
    """A part of the file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, strict=True)


class BasicAuth(Section):
    """User name and password for HTTP basic authentication."""

    username: str
    """Sent in clear text with every request: use https."""
    password_file: Path = Field(strict=False)
    """File that holds the password and nothing else. It is read for every request, so a password can be changed."""


class TLS(Section):
    """How the server's certificate is checked, and which one we show."""

    ca_file: Path | None = Field(default=None, strict=False)
    """PEM file of the authorities to trust, in place of the system's."""
    cert_file: Path | None = Field(default=None, strict=False)
    """PEM file of our own certificate, where the server asks for one."""
    key_file: Path | None = Field(default=None, strict=False)
    """PEM file of the key that belongs to cert_file."""
    insecure_skip_verify: bool = False
    """Take any certificate. Whoever is in between can then read and change everything."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file must be given together.")
        return self


class Endpoint(Section):
    """A server and how it is reached."""

    takes_parameters: ClassVar[bool] = False

    url: str
    """Address of the server."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with every request, such as X-Scope-OrgID. A secret belongs into bearer_token_file."""
    basic_auth: BasicAuth | None = None
    """User name and password."""
    bearer_token_file: Path | None = Field(default=None, strict=False)
    """File that holds a bearer token. It is read for every request, so a token can be rotated."""
    tls: TLS = TLS()
    """Certificates."""

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        if _WITH_USER.match(value):
            raise ValueError("must not hold a user name or password. Use basic_auth with a password_file.")
        if not cls.takes_parameters and ("?" in value or "#" in value):  # not shown: it may be a secret
            raise ValueError("must end with the path, without ? or #: /api is put behind it. Use headers.")
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"must be a URL with a port between 1 and 65535, if any. Got {value!r}.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"must be an http or https URL, such as http://127.0.0.1:9090. Got {value!r}.")
        return value.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _sendable(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not _HEADER_NAME.fullmatch(name) or not text.isascii() or not text.isprintable() or text != text.strip():
                raise ValueError(
                    "must be names and values of printable ASCII characters, without spaces around them. "
                    f"Got others in {name!a}."
                )
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.basic_auth and self.bearer_token_file:
            raise ValueError("basic_auth and bearer_token_file must not be given together.")
        return self
