"""One series to look at: its past, what comes next, and why; a page for people and JSON for programs."""
