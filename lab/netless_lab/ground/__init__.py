"""Where a lab stands: what may be changed, ended and named there, how changes are planned and written down, and how they are undone."""
