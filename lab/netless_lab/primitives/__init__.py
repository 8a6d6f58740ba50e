"""One network idea per file: what can be done to it (actions) and what can be true of it (expectations). Pure.

``kernel/actions/`` holds the kernel's half under the same file names. To add an idea: one file here, one there, one line in
``registry.py``, one test each.
"""
