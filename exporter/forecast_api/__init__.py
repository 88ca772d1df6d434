"""What comes next, asked for: dense curves, seasons, trends, totals, and the capacity they call for."""
