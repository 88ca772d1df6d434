"""The choices at the top of a dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from exporter import metrics
from grafana.queries import FLEET

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_ALL = VariableOption(text="All", value="$__all", selected=True)


def datasource() -> DatasourceVariable:
    """Which Prometheus. The default is the provisioned one."""
    default = VariableOption(text="Prometheus", value="prometheus", selected=True)
    return DatasourceVariable("datasource").label("Data source").type("prometheus").current(default)


def queries() -> QueryVariable:
    """Some or all queries."""
    return _many(_values("query", "Query", metrics.ANOMALY_SCORE.name, "query"))


def query() -> QueryVariable:
    """One query."""
    return _values("query", "Query", metrics.ANOMALY_SCORE.name, "query")


def tenants() -> QueryVariable:
    """Some or all tenants of the chosen queries."""
    return _many(_values("tenant", "Tenant", f'{metrics.ANOMALY_SCORE.name}{{query=~"$query"}}', "tenant_id"))


def horizon(forecasts: str) -> QueryVariable:
    """One of the horizons of these forecasts, what most series have first.

    Where there are none it is one hour: nothing is found then, but `offset` cannot be without a length.
    """
    none = 'label_replace(vector(0), "horizon", "1h", "horizon", "")'
    text = f"query_result(sort_desc(count by (horizon) ({forecasts}) or on () {none}))"
    return _variable("horizon", "Horizon", text).regex('/horizon="(.+?)"/').sort(VariableSort.DISABLED)


def series() -> QueryVariable:
    """One series by all its labels, whatever they are: the strangest of the time shown stands first.

    The value is what stands between the braces of a selector.
    """
    strangest = f"sort_desc(max_over_time({metrics.ANOMALY_SCORE.name}{{{FLEET}}}[$__range]))"
    return _variable("series", "Series", f"query_result({strangest})").regex(r"/\{(.*)\}/").sort(VariableSort.DISABLED)


def _values(name: str, label: str, selector: str, values_of: str) -> QueryVariable:
    return _variable(name, label, f"label_values({selector}, {values_of})").sort(VariableSort.ALPHABETICAL_ASC)


def _variable(name: str, label: str, text: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query({"query": text, "refId": f"variable-{name}"})
        .definition(text)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _many(variable: QueryVariable) -> QueryVariable:
    # `.*` also matches the absence of a label, so series without a tenant are of "All".
    return variable.multi(True).include_all(True).all_value(".*").current(_ALL)
