"""A real terminal inside the tutor: a program on a pseudo-terminal, painted by the terminal model in `netless.vt`."""

from netless.app.terminal.widget import PtyTerminal

__all__ = ["PtyTerminal"]
