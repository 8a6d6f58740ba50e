"""Every sentence of screen and command line, as values: text with looks and links, laid out by cells. No widget and no terminal in here.

``links`` say what a click does, ``text`` is what everything else is made of, ``prose`` reads Markdown; the others word one idea each.
"""
