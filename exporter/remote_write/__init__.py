"""Results written to a server: Prometheus' remote write, version 1."""
