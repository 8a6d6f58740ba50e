"""A course as data: lesson text becomes steps; a step, a snapshot and probe outcomes become a verdict. Pure."""
