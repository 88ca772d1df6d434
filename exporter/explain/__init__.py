"""Why was a step judged as it was? Over HTTP and for a shell."""
