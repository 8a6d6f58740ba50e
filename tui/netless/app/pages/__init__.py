"""What each pane says, as blocks made from the ``View``. Values only: no widget, no state."""
