"""The models of one query: fitted in batches now and then, asked every cycle, kept over a restart."""
