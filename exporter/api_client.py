"""A running forethought as a command asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

_TIMEOUT = 60.0


class Refused(click.ClickException):
    """No data, and why; exit status 2."""

    exit_code = 2


def ask(address: str, wanted: Mapping[str, Any], *, method: str = "GET", body: Any = None) -> Any:
    """Give the data that an address of ``/api/v1`` answers; its warnings go to standard error.

    Parameters
    ----------
    address : str
    wanted : mapping
        Parameters of the query.
    method : str, default "GET"
    body : object or None
        Sent as JSON.

    Raises
    ------
    Refused
        For anything else than data, in one line.
    """
    import requests

    try:
        answer = requests.request(method, address, params=wanted, json=body, timeout=_TIMEOUT)
        envelope = answer.json()
        if answer.ok:
            data = envelope["data"]
            for warning in envelope.get("warnings", ()):
                click.echo(f"warning: {warning}", err=True)
            return data
        message = envelope["error"]
    except requests.JSONDecodeError as error:
        raise Refused(f"{address} must be a forethought. Got an answer that is no JSON.") from error
    except (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    ) as error:
        given = address.partition("/api/")[0]
        raise Refused(f"--url must be an address such as http://127.0.0.1:9815. Got {given!r}.") from error
    except requests.RequestException as error:
        raise Refused(f"{address} must be reachable. Got {_cause(error)}.") from error
    except (KeyError, TypeError) as error:
        raise Refused(f"{address} must be a forethought. Got another answer.") from error
    raise Refused(message)


def _cause(error: BaseException) -> str:
    """What the system said: the messages around it hold the whole request."""
    while error.__context__ is not None:
        error = error.__context__
    return str(getattr(error, "strerror", None) or type(error).__name__)
