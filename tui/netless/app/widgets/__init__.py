"""Widgets of the tutor. Each is painted from the ``View`` by a ``show`` method and remembers nothing else about the lab."""
