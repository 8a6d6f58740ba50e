"""One network idea per file: what can be done to it (actions) and what can be true of it (expectations). Pure.

``kernel/actions.py`` holds the kernel's half. To add an idea: one file here, a function for each action there, one line in ``registry.py`` and
``kernel/apply.py``, one test each.
"""
