"""`PtyTerminal`: a program on a pseudo-terminal as a widget.

Everything the keyboard sends goes to the program, ctrl+c and all, except keys that lead out or are the screen's around
and, on the ordinary screen, shift with arrows and pages (selecting and scrolling back, see `TerminalSurface`).
"""

from __future__ import annotations

import asyncio
import codecs
import locale
import os
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from textual import events
from textual.message import Message

from netless.app.terminal.surface import TerminalSurface
from netless.app.terminal.telling import ToldSize
from netless.say.shells import ENDED_HERE
from netless.shell import terminal_environment
from netless.shell.child import Child, Listener, size_of
from netless.vt import SCROLLBACK, Bell, CommandStarted, Event, PromptShown
from netless.vt.keys import encode_command, encode_key, encode_paste
from netless.vt.remarks import said, unsaid
from netless.vt.replay import at_prompt, pieces, switches

if TYPE_CHECKING:
    from netless_lab.keeping import Kept, Over, Taken

RESTART_GAP: Final = 0.5
"""Seconds after the end in which Enter does not start a new shell: a held-down ``exit`` must not start one after another."""

PROMPT_WAIT_S: Final = 5.0
"""How long what is typed into a shell that begins waits for its first prompt, in seconds."""

LEAVE_KEY: Final = "ctrl+right_square_bracket"
"""Leads out; the program never gets it."""

Prompt = Literal["none", "awaited", "ready", "taken"]
"""Whether a command line can be put at a prompt: nothing runs; a program started and has shown no prompt yet; now; a command runs."""

_LEFT_SWITCHED_ON: Final = "\x1b[?1049l\x1b[!p\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?2004l\x1b[?1004l\x1b[?2026l\x1b[?5l"


class PtyTerminal(TerminalSurface):
    """A terminal running ``argv``.  It starts by itself when it first gets a size; without ``argv`` it waits for `begin`.

    What is typed before the program runs is for it, as with any terminal.

    ``env`` is laid over the tutor's own environment. ``outer`` are keys of the screen around. ``keep`` has somebody keep the terminal whose
    master side it is given: then it is left to him when this ends, and not ended.
    ``clock`` counts the seconds of `RESTART_GAP`.
    """

    class Exited(Message):
        """The program ended.  ``code`` is negative when a signal killed it, 127 when it could not be started, None where nobody can know it."""

        def __init__(self, code: int | None) -> None:
            super().__init__()
            self.code = code

    class Leave(Message):
        """The leave key: the keyboard goes back to the tutor."""

    def __init__(
        self, argv: Sequence[str] = (), *, env: Mapping[str, str] | None = None, scrollback: int = SCROLLBACK, outer: frozenset[str] = frozenset(),
        clock: Callable[[], float] = monotonic, keep: Callable[[int], Kept | None] = lambda master: None,
    ) -> None:  # fmt: skip
        super().__init__(scrollback)
        self._outer = outer
        self._argv, self._env = list(argv), dict(env or {})
        self._child: Child | None = None
        self._keep = keep
        self._kept: Kept | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._clock = clock
        self._ended: float | None = None
        self._ahead, self._waits, self._offer = "", False, ""
        self._told: Literal["awaited", "ready", "taken"] = "awaited"
        self._change = asyncio.Event()
        self._told_size = ToldSize()

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
    def ends_with_us(self) -> bool:
        """True when a program runs that nobody keeps."""
        return self.running and (self._kept is None or not self._kept.is_kept)

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

    def schedule(self) -> None:
        """Paint what has changed; who waits for that goes on."""
        super().schedule()
        self._change.set()

    async def changed(self) -> None:
        """Return when something was printed, or the program began or ended."""
        self._change.clear()
        await self._change.wait()

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
            self._child = Child.start(self._argv, environment, (screen.columns, screen.height), listener)
            self._kept = self._keep(self._child.master)
            if self._kept is not None:
                self._child.holds = self._kept.holds
        except OSError as error:
            self.terminal.feed(f"{self._argv[0]}: {error.strerror or error}\r\n")
            self._child_ended(127)
        self._ended = None if self.running else self._ended
        if self._waits:
            self.set_timer(PROMPT_WAIT_S, self._read_ahead)
        else:
            self._read_ahead()
        self.schedule()

    def begin(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Run this shell in a terminal in which nothing has run yet, as soon as it has a size.

        What is typed waits for its first prompt: until then every terminal on the way would show it as well, as far as it comes.
        """
        self._argv, self._env, self._waits = list(argv), dict(env), True
        if all(self.content_size):
            self.start()

    async def join(self, taken: Taken, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Go on with a terminal that was left behind, in one in which nothing has run yet: as it stood, and with what was printed since.

        What runs there is asked for nothing and answered nothing while that is carried out, a little at a time, at the size it was printed for.
        ``argv`` and ``env`` are for the shell that Enter starts when this one has ended.
        """
        try:
            shown = taken.kept.shown()
            text = await self._show_printed(shown, size_of(taken.master))
        except BaseException:
            os.close(taken.master)
            taken.kept.leave()
            raise
        screen = self.terminal.screen
        self._told = "ready" if at_prompt(text) else "taken"
        self._argv, self._env, self._kept = list(argv), dict(env), taken.kept
        taken.kept.note(switches(screen))
        self._told_size.draws_anew = screen.alternate_active and not shown[1]  # a full-screen program whose picture is not all known
        try:
            self._child = Child.join(taken.master, Listener(self._printed, self._child_ended))
            self._child.holds = taken.kept.holds
        except OSError:
            self._child_ended(None)
        self.on_resize()
        self._read_ahead()

    async def remember(self, over: Over, words: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """What is left of a shell that is over, and below it these words. Enter starts another by ``argv`` and ``env``."""
        self._argv, self._env, self._ended = list(argv), dict(env), self._clock()
        await self._show_printed(over.shown, self.content_size)
        self._stand_still(words, over.code)
        self.on_resize()

    async def _show_printed(self, shown: tuple[bytes, bool, bytes], size: tuple[int, int]) -> str:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return await self.show_printed(map(self._decoder.decode, pieces(*shown)), size)

    def _read_ahead(self) -> None:
        """What was typed so far is for whatever runs now."""
        ahead, self._ahead, self._waits = self._ahead, "", False
        if ahead:
            self.send(ahead)

    async def stop(self) -> None:
        """End the program and all it started; no `Exited` is posted, and Enter does not start it again."""
        child, self._child = self._child, None
        self._argv = []
        self._forget()
        if child is not None:
            await child.stop()
        self.schedule()

    def _forget(self) -> None:
        """Nobody is to keep this terminal any more."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.end()

    async def restart(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """End what runs and start this instead, below what is on the screen; where nothing runs any more it is not offered to start something."""
        self.terminal.feed(unsaid(self._offer if self._ended is not None else "", self.terminal.screen))
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
        if "\x03" in text:  # what does not come to a prompt is broken off
            self._ahead, self._waits = "", False
        if self._waits or (self._child is None and self._ended is None):
            self._ahead += text
        elif self._child is not None:
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
        if self._kept is not None:
            self._kept.printed(data)
        self.terminal.feed(self._decoder.decode(data))
        if self._kept is not None:
            self._kept.note(switches(self.terminal.screen))
        if all(self.content_size) and self._told_size.printed():
            self.on_resize()
        self.schedule()

    def _child_ended(self, code: int | None) -> None:
        self._child = None
        self._forget()
        self._stand_still("ended" + ("" if code is None else f", exit code {code}" if code >= 0 else f", killed by signal {-code}"), code)

    def lose(self, words: str) -> None:
        """Somebody else is at the program from now on: it is left as it is, and that is said in these words. Enter starts another one here."""
        child, self._child = self._child, None
        if child is not None:
            child.leave()
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.leave()
        self._stand_still(words, None)

    def _stand_still(self, words: str, code: int | None) -> None:
        """Nothing runs here any more; Enter starts something."""
        self._ended = self._clock()
        self._ahead, self._waits = "", False
        self._renew()
        self._offer = f"{words}: {ENDED_HERE}"
        self.remark(self._offer)
        self.post_message(self.Exited(code))

    def remark(self, words: str) -> None:
        """Say something of the tutor's own, in lines of its own; the program knows nothing of it."""
        self.terminal.feed(said(words, self.terminal.screen))
        self.schedule()

    def happened(self, event: Event) -> None:
        """Something besides the picture, in the middle of the output."""
        if isinstance(event, Bell):
            self.app.bell()
        elif isinstance(event, PromptShown):
            self._told = "ready"
            self._read_ahead()
        elif isinstance(event, CommandStarted):
            self._told = "taken"

    # -- events of the toolkit

    async def on_unmount(self) -> None:
        """What somebody keeps is left to him, as it is; of all else nothing stays behind."""
        kept, self._kept = self._kept, None
        if self._child is not None and kept is not None and kept.leave():
            self._child.leave()
            self._child = None
        await self.stop()

    def on_resize(self) -> None:
        """The widget has a size: the program gets the same; the first one starts it. What it drew before that is for the size there was."""
        size, screen = self.content_size, self.terminal.screen
        if not all(size):
            return
        before = (screen.columns, screen.height)
        if self._child is not None and before != size and not self._told_size.draws_anew:
            self._child.catch_up()
        self._told_size.change(before, size, gives_up=screen.gives_up_line(size.width))
        self.display_model.resize(*size)
        if self._child is not None:
            self._child.resize(self._told_size.of(size))
        elif self._ended is None:
            self.start()
        self.schedule()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Takes every key but those of the screen around, so no other binding of the screen around acts or is shown meanwhile."""
        return key not in self._outer and key != LEAVE_KEY

    def on_key(self, event: events.Key) -> None:
        """A key: to the program, unless it leads out, selects or scrolls."""
        if event.key in self._outer:
            return  # bubbles: the screen acts
        event.stop()
        event.prevent_default()
        if event.key == LEAVE_KEY:
            self._lead_out()
        elif not self.search_by_key(event.key, event.character) and not self.mark_by_key(event.key) and not self.scroll_by_key(event.key):
            self._type_key(event)

    def _lead_out(self) -> None:
        """Told to who is around, and not to oneself first: what follows the key comes there behind it."""
        if self.parent is not None:
            self.parent.post_message(self.Leave())

    def _type_key(self, event: events.Key) -> None:
        if self.running or self._ended is None:
            text = encode_key(event.key, event.character, self.terminal.screen.modes.application_cursor)
            if text is not None:
                self.settle()
                self.send(text)
        elif event.key == "enter" and self.offers_restart and self._clock() - (self._ended or 0) > RESTART_GAP:
            self.start()

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is looked for while a search is typed; else the shell is told that it was pasted, so it does not run until Enter."""
        event.stop()
        event.prevent_default()
        search = self.display_model.search
        if search is not None and search.paste(event.text):
            self.display_model.look_for("typed")
            self.look_changed()
            return
        self.settle()
        self.send(encode_paste(event.text, self.terminal.screen.modes.bracketed_paste))

    def on_focus(self) -> None:
        """The cursor fills; a program that asked is told, and whoever keeps the terminal."""
        if self._kept is not None:
            self._kept.use()
        if self.terminal.screen.modes.focus_events:
            self.send("\x1b[I")
        self.refresh()

    def on_blur(self) -> None:
        """The cursor becomes a line."""
        if self.terminal.screen.modes.focus_events:
            self.send("\x1b[O")
        self.refresh()
