"""How netless is used: its verbs and options as one table, and what is printed from it. Pure.

``table`` has the data. argparse (``netless.parser``), the completions of three shells, the man page and the table of the README read it.
"""
