"""``python -m exporter``: the same as the command ``forethought``."""

from exporter.cli import main

main()
