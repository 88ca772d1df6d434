"""Pages for people: the service's landing page and the backtest's report.

Each page is one HTML text that loads nothing: styles, scripts and data are inside, and its own content security
policy names them by hash, so that a hostile label value has no way to run.
"""

from exporter.pages.backtest_page import render_backtest
from exporter.pages.landing import QueryState, QueryStatus, ServiceStatus, landing_page

__all__ = ["QueryState", "QueryStatus", "ServiceStatus", "landing_page", "render_backtest"]
