"""The rungs of the ladder, one file for each place where packets die. Every rung is a function ``Case -> Cause | None``."""
