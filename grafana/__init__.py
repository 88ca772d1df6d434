"""People look: dashboards as code. The JSON in `generated` is committed and never edited by hand."""

from pathlib import Path

GENERATED = Path(__file__).parent / "generated"
