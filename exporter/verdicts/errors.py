"""What can go wrong with verdicts."""


class VerdictStoreError(Exception):
    """Verdicts cannot be kept or read. The message is one line."""
