"""What Textual does otherwise than the tutor needs: its driver, its partial repaints, its wrapping of wide text.

The driver writes to the terminal; Textual's own writes to standard error, which a person may have sent elsewhere. And it is noticed when
what the app reads from is gone: a terminal that was closed, a browser's server that ended. SIGHUP goes to the first process of a session
only, and Textual reads on from a terminal that has nothing more to say (read(2) answers nothing at once, for ever). The kernel tells a
hang-up to whoever polls, even for nothing else (epoll_ctl(2), EPOLLHUP); an epoll can itself be watched by the event loop (epoll(7)), so
this costs neither a thread nor a look at what is typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Final, Protocol, runtime_checkable

import textual
import textual.content
from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.control import Control
from textual import _compositor, events
from textual._compositor import ChopsUpdate
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_ORDINARY: Final = "\x18" + "".join(f"\x1b[?{mode}l" for mode in (2004, 2048, 1000, 1003, 1015, 1006, 1016, 1004)) + "\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
"""What takes back all that Textual switches on (``LinuxDriver.start_application_mode``); CAN ends a sequence that was cut off (ECMA-48, 8.3.6)."""
_READS_S: Final = 1.0
"""How long a terminal may take to read."""


class Outliving:
    """A terminal to write to that may go away. Textual's writing thread would end with it, and whoever writes then waits for ever."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write, if there is still somebody to read."""
        with contextlib.suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """The same."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()


@runtime_checkable
class HearsKeys(Protocol):
    """An app that is told of keys before its loop comes to them, if it ever does."""

    def key_read(self, key: str) -> None:
        """A key was read; in the thread that reads."""


class TerminalDriver(LinuxDriver):
    """Writes to standard output when that is a terminal and standard error is not. Survives a terminal that is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and (err is None or not err.isatty()):
            self._file = out
        self._file: Any = Outliving(self._file)

    def process_message(self, message: Message) -> None:
        """Pass a message on to the app, in the thread that reads the terminal."""
        if isinstance(message, events.Key) and isinstance(self._app, HearsKeys):
            self._app.key_read(message.key)
        super().process_message(message)

    def give_back(self, words: str) -> None:
        """Give the terminal back as it was and say something on it, at once and from any thread: for when nothing of ours may be waited for.

        What ``stop_application_mode`` writes goes by a thread that may be waiting for the terminal itself.
        """
        with contextlib.suppress(OSError, termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        with contextlib.suppress(OSError):
            if select.select([], [self._file.fileno()], [], _READS_S)[1]:
                os.write(self._file.fileno(), (_ORDINARY + words + "\n").encode())

    def _sigcont_application(self, *args: Any) -> None:
        """Take the terminal again only after having given it back (SIGTSTP). SIGCONT also comes with a hang-up (tty_ioctl(4)), and after SIGSTOP:
        then Textual would start a second pair of threads that read and write."""
        if self._must_signal_resume:
            super()._sigcont_application(*args)


def own_driver() -> type[Driver] | None:
    """This driver, unless the environment names another (a browser session does)."""
    return None if os.environ.get("TEXTUAL_DRIVER") else TerminalDriver


class HangupWatch:
    """Calls ``gone`` once, in the loop, when the other end of ``fd`` is no more. A file that cannot be polled never hangs up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, fd: int, gone: Callable[[], None]) -> None:
        self._loop, self._gone = loop, gone
        self._poll = select.epoll()
        with contextlib.suppress(OSError):
            self._poll.register(fd, 0)
        loop.add_reader(self._poll.fileno(), self._noticed)

    def _noticed(self) -> None:
        if self._poll.poll(0):
            self.close()
            self._gone()

    def close(self) -> None:
        """Watch no longer. Harmless when called again."""
        if not self._poll.closed:
            self._loop.remove_reader(self._poll.fileno())
            self._poll.close()


def bound(keys: Mapping[str, str], *, priority: bool = False) -> list[BindingType]:
    """Bindings that are shown by nobody but a ``KeyBar``: the action that each key, or each of several, runs."""
    return [Binding(key, action, show=False, priority=priority) for key, action in keys.items()]


KNOWN: Final = "8.2."
"""Versions whose ``ChopsUpdate`` is replaced."""


def crop_both_edges(version: str | None = None) -> bool:
    """Let partial repaints start at the dirty cell, not at the widget's left edge; returns whether they do.

    Textual 8.2 crops only the right edge of a dirty span (``ChopsUpdate.render_segments``; textual#5625), so one moving cell sends the
    whole row to its left again. Cropping both edges takes a packet's frame from several hundred bytes to a few dozen. Done only for
    versions whose method is known to be the one replaced; ``version`` is textual's own, read when not given.
    """
    if version is None:
        version = _version()
    if not version.startswith(KNOWN) or not hasattr(_compositor, "ChopsUpdate"):
        return False
    ChopsUpdate.render_segments = _render_segments  # type: ignore[method-assign]
    return True


def _version() -> str:
    """Textual's version from its folder's name: importlib.metadata would cost 30 ms of the first frame."""
    site = Path(textual.__file__).parent.parent
    return next((path.name.split("-")[1] for path in site.glob("textual-*.dist-info")), "")


def _render_segments(self: ChopsUpdate, console: Console) -> str:
    """The terminal sequences of an update: for each span, its dirty cells only."""
    out: list[str] = []
    move_to = Control.move_to
    last_y = self.spans[-1][0]
    for y, first, last in self.spans:
        for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
            if strip is None or x >= last or end <= first:
                continue
            left, right = max(x, first), min(end, last)
            piece = strip if (left, right) == (x, end) else strip.crop(left - x, right - x)
            out.append(move_to(left, y).segment.text)
            out.append(piece.render(console))
        if y != last_y:
            out.append("\n")
    return "".join(out)


NOT_FIRST = frozenset("、。，．：；！？）」』】》〉〕］｝”’…—～·,.:;!?)]}%")
"""Characters that may not begin a line."""
NOT_LAST = frozenset("（「『【《〈〔［｛“‘([{")
"""Characters that may not end one."""
_WORD = re.compile(r"(?:\A\s+)?\S+\s*")


def wrap_wide_text() -> None:
    """Let Textual wrap Chinese, Japanese and Korean text as ``divide_line`` does.

    It wraps only at spaces, so a Chinese sentence is one "word" to it; this breaks between ideographs and keeps marks such as ``。`` from
    beginning a line (the kinsoku rules of JIS X 4051, in brief). Text without wide characters wraps exactly as before.
    """
    textual.content.divide_line = divide_line  # type: ignore[attr-defined]


def divide_line(text: str, width: int, fold: bool = True) -> list[int]:
    """Where to break a line: the same answer as ``rich._wrap.divide_line`` gives, plus breaks between wide characters."""
    breaks: list[int] = []
    position = used = 0
    for match in _WORD.finditer(text):
        for piece in _pieces(match[0]):
            need, full = cell_len(piece.rstrip()), cell_len(piece)
            if used + need <= width:
                used += full
            elif need <= width or not fold:
                if position:
                    breaks.append(position)
                used = full
            else:
                if used and position:
                    breaks.append(position)
                used = _fold(piece, position, width, breaks)
            position += len(piece)
    return breaks


def _fold(piece: str, position: int, width: int, breaks: list[int]) -> int:
    """Break a piece longer than a line by cells; returns the cells used on its last line."""
    used = 0
    for offset, character in enumerate(piece):
        size = get_character_cell_size(character)
        if used + size > width and position + offset > (breaks[-1] if breaks else 0):
            breaks.append(position + offset)
            used = 0
        used += size
    return used


def _pieces(word: str) -> list[str]:
    """A space-delimited word, cut where a line may break inside it."""
    if word.isascii():
        return [word]
    pieces: list[str] = []
    current = previous = ""
    for character in word:
        wide = get_character_cell_size(character) == 2 or (bool(previous) and get_character_cell_size(previous) == 2)
        breakable = wide and character not in NOT_FIRST and previous not in NOT_LAST
        if current and breakable and not character.isspace() and get_character_cell_size(character):
            pieces.append(current)
            current = ""
        current += character
        previous = character
    pieces.append(current)
    return pieces
