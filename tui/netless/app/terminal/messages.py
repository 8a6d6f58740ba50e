"""What the terminal tells the screen around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from netless.app.terminal.surface import TerminalSurface


class TerminalMessage(Message):
    """A message of one terminal; ``@on(PtyTerminal.Exited, "#host")`` works."""

    def __init__(self, terminal: TerminalSurface) -> None:
        super().__init__()
        self.terminal = terminal

    @property
    def control(self) -> TerminalSurface:
        """The terminal that sent it."""
        return self.terminal


class Exited(TerminalMessage, namespace="pty_terminal"):
    """The program ended.  ``code`` is negative when a signal killed it, 127 when it could not be started."""

    def __init__(self, terminal: TerminalSurface, code: int) -> None:
        super().__init__(terminal)
        self.code = code


class Leave(TerminalMessage, namespace="pty_terminal"):
    """The leave key: the keyboard goes back to the tutor."""


class Title(TerminalMessage, namespace="pty_terminal"):
    """The program named its window.  Any text at all: show it as `Content`, never as markup."""

    def __init__(self, terminal: TerminalSurface, text: str) -> None:
        super().__init__(terminal)
        self.text = text

    def can_replace(self, message: Message) -> bool:
        """Only the newest title counts."""
        return isinstance(message, Title) and message.terminal is self.terminal


class CommandLine(TerminalMessage, namespace="pty_terminal"):
    """The shell ran a command line; ``exit_code`` is None when it did not say.  Narration only: the child can print any mark."""

    def __init__(self, terminal: TerminalSurface, text: str, exit_code: int | None) -> None:
        super().__init__(terminal)
        self.text, self.exit_code = text, exit_code


class Copied(TerminalMessage, namespace="pty_terminal"):
    """Text went to the clipboard."""

    def __init__(self, terminal: TerminalSurface, text: str) -> None:
        super().__init__(terminal)
        self.text = text
