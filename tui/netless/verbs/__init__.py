"""The verbs of the command line, imported only when asked for."""
