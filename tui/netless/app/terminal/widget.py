"""`PtyTerminal`: a program on a pseudo-terminal as a widget.

Everything the keyboard sends goes to the program, ctrl+c and all, except two keys that lead out (`LEAVE_KEYS`) and, on the ordinary
screen, shift with arrows and pages (selecting and scrolling back, see `TerminalSurface`).
"""

from __future__ import annotations

import codecs
import locale
import os
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Final, Literal

from textual import events
from textual.message import Message

from netless.app.terminal.child import Child, Listener
from netless.app.terminal.surface import TerminalSurface
from netless.shell import terminal_environment
from netless.vt import SCROLLBACK, Bell, CommandStarted, Event, PromptShown
from netless.vt.keys import encode_command, encode_key, encode_paste

BELL_GAP: Final = 0.5
"""Seconds between bells passed on."""

RESTART_GAP: Final = 0.5
"""Seconds after the end in which Enter does not start a new shell: a held-down ``exit`` must not start one after another."""

LEAVE_KEYS: Final = frozenset(("ctrl+right_square_bracket", "f6"))
"""Keys the program never gets."""

Prompt = Literal["none", "awaited", "ready", "taken"]
"""Whether a command line can be put at a prompt: nothing runs; a program started and has shown no prompt yet; now; a command runs."""

_LEFT_SWITCHED_ON: Final = "\x1b[?1049l\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?2004l\x1b[?1004l\x1b[?2026l\x1b[?5l"


class PtyTerminal(TerminalSurface):
    """A terminal running ``argv``.  It starts by itself when it first gets a size; without ``argv`` it waits for `restart`.

    ``env`` is laid over the tutor's own environment.
    ``clock`` counts the seconds of `BELL_GAP` and `RESTART_GAP`.
    """

    class Exited(Message):
        """The program ended.  ``code`` is negative when a signal killed it, 127 when it could not be started."""

        def __init__(self, code: int) -> None:
            super().__init__()
            self.code = code

    class Leave(Message):
        """The leave key: the keyboard goes back to the tutor."""

    def __init__(
        self, argv: Sequence[str] = (), *, env: Mapping[str, str] | None = None, scrollback: int = SCROLLBACK, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(scrollback)
        self._argv, self._env = list(argv), dict(env or {})
        self._child: Child | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._clock = clock
        self._belled = -BELL_GAP
        self._ended: float | None = None
        self._told: Literal["awaited", "ready", "taken"] = "awaited"

    # -- the program

    @property
    def running(self) -> bool:
        """True while the program lives."""
        return self._child is not None and self._child.running

    @property
    def offers_restart(self) -> bool:
        """True when the program ended by itself: Enter starts it again."""
        return self._ended is not None and bool(self._argv) and not self.running

    @property
    def prompt(self) -> Prompt:
        """Whether a command line can be put here now.

        The marks of the lab's own shells say it.  A shell started inside one of them has none, but a line editor asks for bracketed
        paste just while it reads a line (readline, ``enable-bracketed-paste``).
        """
        screen = self.terminal.screen
        if not self.running:
            return "none"
        if screen.alternate_active:
            return "taken"
        return "ready" if screen.modes.bracketed_paste else self._told

    @property
    def pid(self) -> int | None:
        """The program's process id."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        """Start the program, if it is not running.  A program that cannot be started says so on the screen and ends with 127."""
        if self.running or not self._argv:
            return
        screen = self.terminal.screen
        colourless = {"NO_COLOR": "1"} if self.app.no_color else {}  # the toolkit took it out of os.environ
        codeset = locale.nl_langinfo(locale.CODESET)
        environment = terminal_environment(os.environ, self.app.current_theme.dark, {**colourless, **self._env}, codeset)
        listener = Listener(self._printed, self._child_ended)
        try:
            self._child = Child(self._argv, environment, (screen.columns, screen.height), listener)
        except OSError as error:
            self.terminal.feed(f"{self._argv[0]}: {error.strerror or error}\r\n")
            self._child_ended(127)
        self._ended = None if self.running else self._ended
        self.schedule()

    async def stop(self) -> None:
        """End the program and all it started; no `Exited` is posted, and Enter does not start it again."""
        child, self._child = self._child, None
        self._argv = []
        if child is not None:
            await child.stop()
        self.schedule()

    async def restart(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """End what runs and start this instead, below what is on the screen."""
        await self.stop()
        self._argv = list(argv)
        if env is not None:
            self._env = dict(env)
        self._renew()
        self.start()

    def type_text(self, text: str) -> bool:
        """Put a command at the prompt without running it, in place of what was typed there so far.

        False when there is no `prompt` to put it at: nothing runs, or something does that would read the command as its own input.
        """
        if self.prompt != "ready":
            return False
        self.settle()
        # first to the end of the line, then erase it
        self.send("\x05\x15" + encode_command(text, self.terminal.screen.modes.bracketed_paste))
        return True

    def send(self, text: str) -> None:
        """Type into the program."""
        if self._told == "ready" and "\r" in text and not self.terminal.screen.modes.bracketed_paste:
            self._told = "taken"  # a shell without a line editor does not say itself that it runs the line
        if self._child is not None:
            self._child.write(text)

    def reply(self, text: str) -> None:
        """Answer a question of the program."""
        if self._child is not None:
            self._child.reply(text)

    def _renew(self) -> None:
        """Between two programs: undo what the last one left switched on, and go on below its output."""
        self._decoder.reset()
        self._told = "awaited"
        self.display_model.settle()
        screen = self.terminal.screen
        self.terminal.feed(_LEFT_SWITCHED_ON)
        last = max((y for y, row in enumerate(screen.rows) if row.plain), default=-1)
        screen.goto(max(last, 0), 0)
        self.terminal.feed("\r\n" if last >= 0 else "")

    def _printed(self, data: bytes) -> None:
        self.terminal.feed(self._decoder.decode(data))
        self.schedule()

    def _child_ended(self, code: int) -> None:
        self._child, self._ended = None, self._clock()
        self._renew()
        how = f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
        self.terminal.feed(f"\x1b[2m[ended, {how}: enter starts a new shell]\x1b[0m\r\n")
        self.schedule()
        self.post_message(self.Exited(code))

    def happened(self, event: Event) -> None:
        """Something besides the picture, in the middle of the output."""
        if isinstance(event, Bell):
            now = self._clock()
            if now - self._belled > BELL_GAP:
                self._belled = now
                self.app.bell()
        elif isinstance(event, PromptShown):
            self._told = "ready"
        elif isinstance(event, CommandStarted):
            self._told = "taken"

    # -- events of the toolkit

    async def on_unmount(self) -> None:
        """Nothing of it stays behind."""
        await self.stop()

    def on_resize(self) -> None:
        """The widget has a size: the program gets the same; the first one starts it."""
        width, height = self.content_size
        if not width or not height:
            return
        self.display_model.settle()
        self.terminal.resize(width, height)
        if self._child is not None:
            self._child.resize((width, height))
        elif self._ended is None:
            self.start()
        self.schedule()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Takes every key but the leave keys, so no binding of the screen around acts or is shown meanwhile."""
        return key not in LEAVE_KEYS

    def on_key(self, event: events.Key) -> None:
        """A key: to the program, unless it leads out, selects or scrolls."""
        if event.key == "f6":
            return  # bubbles: the screen moves the focus
        event.stop()
        event.prevent_default()
        if event.key in LEAVE_KEYS:
            self.post_message(self.Leave())
        elif not self.mark_by_key(event.key) and not self.scroll_by_key(event.key):
            self._type_key(event)

    def _type_key(self, event: events.Key) -> None:
        if self.running:
            text = encode_key(event.key, event.character, self.terminal.screen.modes.application_cursor)
            if text is not None:
                self.settle()
                self.send(text)
        elif event.key == "enter" and self.offers_restart and self._clock() - (self._ended or 0) > RESTART_GAP:
            self.start()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text: the shell is told that it was pasted, so it does not run until Enter."""
        event.stop()
        event.prevent_default()
        self.settle()
        self.send(encode_paste(event.text, self.terminal.screen.modes.bracketed_paste))

    def on_focus(self) -> None:
        """The cursor fills; a program that asked is told."""
        if self.terminal.screen.modes.focus_events:
            self.send("\x1b[I")
        self.refresh()

    def on_blur(self) -> None:
        """The cursor becomes a line."""
        if self.terminal.screen.modes.focus_events:
            self.send("\x1b[O")
        self.refresh()
