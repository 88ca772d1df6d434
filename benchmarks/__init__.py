"""Speed and quality, measured: one module per bench, each prints one JSON object as its last line."""
