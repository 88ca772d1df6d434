"""Templates, and the styles and scripts that go into a page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exporter import __version__
from exporter.pages.text import format_date, format_duration, format_instant, format_number, format_score, format_share


@cache
def environment() -> Environment:
    """The templates of this package; every value is escaped, and a missing one is an error."""
    made = Environment(
        loader=PackageLoader("exporter.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        date=format_date,
        duration=format_duration,
        instant=format_instant,
        number=format_number,
        score=format_score,
        share=format_share,
    )
    made.globals["version"] = __version__
    return made


def render(
    template: str,
    *,
    styles: tuple[str, ...],
    scripts: tuple[str, ...] = (),
    forms: bool = False,
    asks: bool = False,
    **values: object,
) -> str:
    """Fill a template in.

    Parameters
    ----------
    template : str
        A file of ``templates/``.
    styles, scripts : tuple of str
        Files of ``static/``, put into the page in this order.
    forms : bool, default False
        Whether the page may send forms, to its own site.
    asks : bool, default False
        Whether its script may ask its own site for more.
    **values
        What the template names.
    """
    style, script = _joined(styles), _joined(scripts)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        f"connect-src '{'self' if asks else 'none'}'; base-uri 'none'; form-action '{'self' if forms else 'none'}'"
    )
    # The files are our own: only they may stand in a page unescaped.
    trusted = {"style": Markup(style), "script": Markup(script)}  # noqa: S704
    return environment().get_template(template).render(policy=policy, **trusted, **values)


def static_text(name: str) -> str:
    """Text of a file of ``static/``."""
    return (files("exporter.pages") / "static" / name).read_text(encoding="utf-8")


@cache
def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(static_text(name) for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
