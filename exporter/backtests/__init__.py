"""What would have been said of a past: the computation, the figures, the command."""
