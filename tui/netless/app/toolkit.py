"""What Textual does otherwise than the tutor needs: its driver and what that reads, its partial repaints, its wrapping of wide text. Nothing
else in the app but ``toolkit_late`` touches what is Textual's own (a test holds it); how much its caches hold is said in ``memory``.

The driver writes to the terminal; Textual's own writes to standard error, which a person may have sent elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import textual
import textual.content
from rich.color import Color
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual import _compositor, events
from textual._compositor import ChopsUpdate
from textual._context import visible_screen_stack
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.errors import NoWidget
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from netless_lab.errors import Refusal

from ..say.cells import divide_line
from .pasted import Pastes, Piece

if TYPE_CHECKING:
    from textual.widgets import OptionList

_ORDINARY: Final = "\x18" + "".join(f"\x1b[?{mode}l" for mode in (2004, 2048, 1000, 1003, 1015, 1006, 1016, 1004)) + "\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
"""What takes back all that Textual switches on (``LinuxDriver.start_application_mode``); CAN ends a sequence that was cut off (ECMA-48, 8.3.6)."""
_READS_S: Final = 1.0
"""How long a terminal may take to read."""
PRIVATE: Final[Mapping[type, tuple[str, ...]]] = {
    App: (
        "_background_screens", "_close_messages_no_wait", "_display", "_driver", "_exception", "_exception_event", "_exit_renderables",
        "_return_code",
    ),
    Screen: ("_bindings", "_compositor"),
    Widget: ("_border_subtitle", "_border_title", "_clear_arrangement_cache"),
    LinuxDriver: ("_app", "_file", "_must_signal_resume", "_sigcont_application"),
}  # fmt: skip
"""What is used here of Textual's own, which another version may have called otherwise."""


def lacking(parts: Mapping[type, tuple[str, ...]] = PRIVATE) -> tuple[str, ...]:
    """What of it the installed Textual does not have, neither in a class nor among what its objects begin with."""

    def known(kind: type) -> set[str]:
        begins = (getattr(vars(own).get("__init__"), "__code__", None) for own in kind.__mro__)
        return set(dir(kind)).union(*(code.co_names for code in begins if code is not None))

    return tuple(f"{kind.__name__}.{name}" for kind, names in parts.items() for name in sorted(set(names) - known(kind)))


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
    """An app that is told of keys before its loop comes to them, if it ever does. ``read_ahead`` was read from the terminal before the app began."""

    read_ahead: bytes

    def key_read(self, key: str, character: str | None) -> None:
        """A key was read; in the thread that reads."""


class KeysAlone(XTermParser):
    """Reads what is typed, without what a terminal answers; escape and a key with ctrl behind it are two.

    A question that was asked before the app began (``themes``) may be answered late, and Textual takes an answer that it does not know
    for letters that were typed. Answers are a colour (OSC 11) and what the terminal is (DA1); neither is any key's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._escaped, self._begun = False, ""
        self._pastes = Pastes()

    def feed(self, data: str) -> Iterable[Message]:
        """As Textual's; an answer cut in two by the reading is one. An escape alone is passed on at once: it may be the key."""
        for text, pasted in self._pastes.pieces(data) if data else (Piece(""),):
            yield from super().feed(text) if pasted else self._typed(text)

    def _typed(self, data: str) -> Iterable[Message]:
        if data:
            text = "\x1b" * self._escaped + self._begun + data
            if self._escaped and (late := _ANSWER.match(text)):
                text = _NO_KEY + text[late.end() :]
            text = _ESCAPED.sub("\x1b" + _NO_KEY, _ANSWER.sub("", text))
            begun = _BEGUN.search(text)
            self._begun = begun[0] if begun and len(begun[0]) <= _ANSWER_LIMIT else ""
            data = text.removesuffix(self._begun)
            if self._escaped and not data:
                self._begun = self._begun[1:]
                return
            data = data[self._escaped :]
            if not data:
                return
            self._escaped = data.endswith("\x1b")
        yield from super().feed(data)


_ANSWER: Final = re.compile(r"\x1b\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[\?[\d;]*c")
_BEGUN: Final = re.compile(r"\x1b(?:\]\d+(?:;[^\x07\x1b]*\x1b?)?|\[\?[\d;]*)\Z")
_NO_KEY: Final = "\x1b[?0;0$y"
"""What stands in the place of an answer whose escape was passed on, and between an escape and the next key: of a mode that no terminal knows
(DECRPM) Textual makes nothing."""
_ESCAPED: Final = re.compile(r"\x1b(?=[\x00-\x07\n-\x1a])")
"""What Textual takes for one key, and leaves the escape out. With a tab and with DEL behind it it is one: shift+tab, and a word that is erased."""
_ANSWER_LIMIT: Final = 64
"""Characters that an answer may take; what is longer is none."""


class TerminalDriver(LinuxDriver):
    """Writes to standard output when that is a terminal and standard error is not. Survives a terminal that is closed.

    ``tap``, while there is one, is told all that is written, from any thread; it must not keep whoever writes waiting.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tap: Callable[[str], None] | None = None
        out, err = sys.__stdout__, sys.__stderr__
        if out is not None and out.isatty() and (err is None or not err.isatty()):
            self._file = out
        self._file: Any = Outliving(self._file)

    def write(self, data: str) -> None:
        """Write to the terminal."""
        if self.tap is not None:
            self.tap(data)
        super().write(data)

    def run_input_thread(self) -> None:
        """Read the terminal, by the parser that leaves answers out. In what was read before, the terminal had made a line's end of Enter."""
        linux_driver.XTermParser = KeysAlone  # type: ignore[attr-defined]
        if isinstance(self._app, HearsKeys):
            for message in KeysAlone().feed(self._app.read_ahead.decode("utf-8", "replace").replace("\n", "\r")):
                self.process_message(message)
        super().run_input_thread()

    def process_message(self, message: Message) -> None:
        """Pass a message on to the app, in the thread that reads the terminal."""
        if isinstance(message, events.Key) and isinstance(self._app, HearsKeys):
            self._app.key_read(message.key, message.character)
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


def terminal_of(app: App[Any]) -> TerminalDriver | None:
    """The terminal that an app writes to; None when it is drawn somewhere else."""
    return app._driver if isinstance(app._driver, TerminalDriver) else None


def own_driver() -> type[Driver] | None:
    """This driver, unless the environment names another (a browser session does)."""
    return None if os.environ.get("TEXTUAL_DRIVER") else TerminalDriver


def bound(keys: Mapping[str, str], *, priority: bool = False) -> list[BindingType]:
    """Bindings that are shown by nobody but a ``KeyBar``: the action that each key, or each of several, runs."""
    return [Binding(key, action, show=False, priority=priority) for key, action in keys.items()]


class SayingApp(App[None], inherit_bindings=False):
    """An app that says in its own words that it failed. Textual's own writes a traceback on the terminal, with the values of all variables."""

    def failed(self, error: Exception) -> tuple[int, str]:
        """The first error that nobody caught: the exit code, and what is said on the terminal that was given back."""
        raise NotImplementedError

    def _handle_exception(self, error: Exception) -> None:
        from rich.text import Text

        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error  # the wrapper was never raised: only what it holds knows where it happened
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self._return_code, words = self.failed(error)
            self._exit_renderables.append(Text(words))
        self._close_messages_no_wait()


def place_anew(container: Widget) -> None:
    """Place the children again though neither they nor the container's size are others."""
    container._clear_arrangement_cache()
    container.refresh(layout=True)


def words_in_border(widget: Widget, title: Content, subtitle: Content | None) -> None:
    """Put these words in a border; only where they differ, because setting them always repaints all of the widget."""
    if widget._border_title is None or not widget._border_title.is_same(title):
        widget.border_title = title
    if subtitle is not None and (widget._border_subtitle is None or not widget._border_subtitle.is_same(subtitle)):
        widget.border_subtitle = subtitle


def begin_in(app: App[Any], theme: str) -> None:
    """Give an app that has not begun its theme. As one that is changed Textual would read every style twice: for its own theme, and for this one."""
    app.set_reactive(App.theme, theme)
    app.stylesheet.set_variables(app.get_css_variables())
    dark = app.current_theme.dark
    app.update_classes({f"-theme-{theme}": True, "-dark-mode": dark, "-light-mode": not dark}, update=False)


def put_on_keys(screen: Screen[Any], keymap: Mapping[str, tuple[str, ...]]) -> None:
    """Put commands of a screen and of what is in it on other keys, by their ids.

    By Textual's own keymap a widget is asked which keys it takes for itself before the others are put in their place.
    """
    keys = {command: ",".join(own) for command, own in keymap.items()}
    for node in screen.walk_children(with_self=True):
        node._bindings.apply_keymap(keys)


def points_at_nothing(screen: Screen[Any], event: events.MouseEvent) -> bool:
    """Whether what lies under the mouse was taken away, and is only painted until the next layout: a notice that was clicked before, say.

    Textual asks what has no parent any more for the place of its parent, when text is to be selected from there.
    """
    try:
        widget, _ = screen.get_widget_at(event.x, event.y)
    except NoWidget:
        return False
    return screen not in widget.ancestors_with_self


def heed_rows(kind: type[OptionList]) -> None:
    """Let a kind of Textual's list that is not ours to derive from ask whether it has a row, where it takes that for granted.

    A click says by its number which row it was on, and the rows may have been replaced since. And no row has a place in a list that has none,
    before it is laid out or in too small a terminal.
    """

    def on_click(self: OptionList, event: events.Click) -> None:
        if event.style.meta.get("option", 0) >= self.option_count:
            event.prevent_default()

    def placed(turn: Callable[[OptionList], None]) -> Callable[[OptionList], None]:
        return lambda self: turn(self) if self.scrollable_content_region else None

    for name, act in (("on_click", on_click), *((name, placed(getattr(kind, name))) for name in ("action_page_up", "action_page_down"))):
        setattr(kind, name, act)


KNOWN: Final = "8.2."
"""Versions whose ``ChopsUpdate`` and ``StylesCache`` are mended."""


def crop_both_edges(version: str | None = None) -> bool:
    """Let partial repaints start at the dirty cell, not at the widget's left edge; returns whether they do.

    Textual 8.2 crops only the right edge of a dirty span (``ChopsUpdate.render_segments``; textual#5625), so one moving cell sends the
    whole row to its left again. Cropping both edges takes a packet's frame from several hundred bytes to a few dozen. Done only for
    versions whose method is known to be the one replaced; ``version`` is textual's own, read when not given.
    """
    if not (_version() if version is None else version).startswith(KNOWN) or not hasattr(_compositor, "ChopsUpdate"):
        return False
    ChopsUpdate.render_segments = _render_segments  # type: ignore[method-assign]
    return True


@cache
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


def paint_all(app: App[Any]) -> None:
    """Write the whole screen to the terminal again, at once."""
    if app.screen.is_attached:
        app._display(app.screen, app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))


def sequences_of(app: App[Any]) -> str:
    """What paints the whole screen on a terminal that has 24-bit colour, whichever this one has."""

    def paint() -> str:
        visible_screen_stack.set(app._background_screens)
        strips = app.screen._compositor.render_strips()
        return "".join(f"\x1b[{y}H{''.join(_selected(style) + text for text, style, control in strip if not control)}" for y, strip in enumerate(strips, 1))

    return copy_context().run(paint)


def _selected(style: Style | None) -> str:
    """A style as SGR says it. A style's own words keep to the terminal that they were first asked for."""
    if style is None:
        return "\x1b[m"
    on = (style.bold, style.dim, style.italic, style.underline, style.blink, style.blink2, style.reverse, style.conceal, style.strike)
    codes = [str(code) for code, is_on in enumerate(on, 1) if is_on]
    for colour, foreground in ((style.color, True), (style.bgcolor, False)):
        codes += colour.get_ansi_codes(foreground) if isinstance(colour, Color) else ()
    return f"\x1b[{';'.join(('0', *codes))}m"


def wrap_wide_text() -> None:
    """Let Textual wrap the Chinese, Japanese and Korean text that it lays out itself, such as a line of the palette, where our own text is broken.

    It wraps only at spaces, so a Chinese sentence is one "word" to it. Text without wide characters wraps exactly as before.
    """
    textual.content.divide_line = lambda text, width, fold=True: divide_line(text, width)  # type: ignore[attr-defined]


def let_painted_go(version: str | None = None) -> bool:
    """Let all that was painted of a widget go with it; returns whether it does. Done only for versions known to keep it.

    Textual remembers two colours by what they are made of (``StylesCache.get_inner_outer``), and the rows of the widget that asked are among that:
    those of the last thousand widgets that were closed would be kept, some 40 MiB.
    """
    known = (_version() if version is None else version).startswith(KNOWN)
    if known:
        ask = lru_cache(1024)(partial(StylesCache.get_inner_outer.__wrapped__, StylesCache))
        StylesCache.get_inner_outer = staticmethod(ask)  # type: ignore[method-assign,assignment]
    return known


if _missing := lacking():
    raise Refusal(f"this Textual ({_version()}) has no {', '.join(_missing)}; netless is made for the one of its lock.txt", code=3)
