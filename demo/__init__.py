"""The demo: a pipeline platform that is made up, on servers that are real."""
