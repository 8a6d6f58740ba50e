"""A real terminal inside the tutor: a program on a pseudo-terminal, painted by the terminal model in `netless.vt`."""

from netless.app.terminal.widget import LEAVE_KEYS, PtyTerminal

__all__ = ["LEAVE_KEYS", "PtyTerminal"]
