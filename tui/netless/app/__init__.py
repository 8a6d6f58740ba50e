"""The tutor's screen: the only package that imports textual. ``run_app`` in ``run`` is its door."""
