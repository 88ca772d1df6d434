"""Pictures of the dashboards, drawn by Grafana's own panel components without a Grafana server."""
