"""Samples come in: PromQL over HTTP, or a file."""
