"""Every key there is, once: how it is called, where it acts, what it needs, and who does it. Plain data: it is read before the first frame.

Key bindings, the bar at the foot, the hints in borders, the help, the command palette, ``netless keys`` and the man page are printed from here. What a command
does stands under its id in ``doing``, unless the window or pane that has the focus does it (``own``) or another command is the ``same``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ..desk.view import View
from ..key_names import parted, sign_of
from .command import Command, Place
from .windows import WINDOWS

if TYPE_CHECKING:
    from netless_lab.protocol import Act


def _act(act: Act, key: str, label: str, help: str) -> Command:
    return Command(act, (key,), label, help, needs=act)


ACTS: Final = (
    _act("run", "r", "Run", "does the step for you, or the next if it holds; judges it"),
    _act("type", "t", "Type it", "the commands at the prompt, you press Enter"),
    _act("check", "c", "Check", "judge the step now; every change is judged anyway"),
    _act("hint", "h", "Hint", "one more rung of help; the last is the command"),
    _act("why", "w", "Why", "where the last packet died, and the likely cause"),
    _act("back", "b", "Back", "undo your last change, or the last step"),
    _act("next", "n", "Next", "on to the next step"),
    _act("goto", "g", "Go to", "the start or end of any step; the lab is rebuilt"),
    _act("reset", "x", "Reset", "the step, the lesson or the lab; it asks first"),
    _act("dialect", "d", "Dialect", "ip, legacy or pyroute2, for the commands"),
    _act("play", "p", "Play", "judging pauses; leaving rebuilds the lab for the step"),
    _act("drill", "D", "Drill", "something is broken on purpose, and you find it"),
)
"""What a learner does with a step, in the order of the bar."""
MEND: Final = _act("mend", "m", "Give up", "in a drill; or done: back to the lesson")
HELP: Final = Command("help", ("question_mark",), "Help", "the keys that act here, and what the marks mean")
QUIT: Final = Command("quit", ("q",), "Quit", "the tutor; your progress is kept")
FIND: Final = Command("commands", ("ctrl+p",), "All", "whatever can be done, found by its name")
LEAVE: Final = Command("terminal.leave", ("ctrl+right_square_bracket",), "Leave the terminal", "back to the tutor", "terminal", same="pane.lesson")
AFTER: Final = Command("pane.next", ("f6", "tab"), "Next pane", "round the panes; in a terminal only F6", "everywhere")
ZOOM: Final = Command("zoom", ("f11",), "Zoom", "this pane alone, or all of them", "everywhere", first=True)

COPY: Final = Command("copy", ("y",), "Copy", "the commands; a click on one copies it alone", needs="type")
COURSES: Final = Command("courses", ("C",), "Courses", "every lesson, and your progress")
SHELLS: Final = Command("shells", ("S",), "Shells", "another tutor's, or left from before: take them over", needs="lab")
SCREENSHOT: Final = Command("screenshot", ("f12",), "Screenshot", "the screen as a picture, SVG and PNG", "everywhere", first=True)
RECORD: Final = Command("record", ("ctrl+r",), "Record", "all that is shown, for asciinema; once more ends it")
DOING: Final = (*ACTS, MEND, COPY, COURSES, SHELLS, SCREENSHOT, RECORD, FIND, HELP, QUIT)
"""What is done wherever the tutor has the focus, other than moving about."""
COMMANDS: Final = (
    *DOING,
    AFTER,
    Command("pane.before", ("shift+tab",), "Pane before", "the other way round"),
    Command("pane.back", ("escape",), "Where you were", "a notice goes on, or away; then the pane you came from, or all panes when one is alone"),
    Command("pane.lesson", ("f1",), "Lesson", "the lesson and its check"),
    Command("pane.network", ("f2",), "Network", "the picture"),
    Command("pane.terminal", ("f3",), "Terminal", "a shell on the node that the step is about", needs="lab"),
    Command("pane.packets", ("f4",), "Packets", "every probe, and your own packets"),
    Command("pane.changes", ("f5",), "Changes", "what was changed, and by whom"),
    ZOOM,
    Command("zoom.letter", ("z",), "Zoom", "the same", same="zoom"),
    Command("theme", ("T",), "Theme", "the next one: dark, light and your own"),
    Command("part.next", ("right", "down"), "Next part", "of the picture: address, MAC, mtu, state, routes", "network", own="walk(1)"),
    Command("part.before", ("left", "up"), "Part before", "the way back", "network", own="walk(-1)"),
    Command("packet.hold", ("space",), "hold", "the moving packet, or let it go on", "network", own="hold"),
    Command("packet.step", ("full_stop",), "step", "the packet by one cell", "network", own="step"),
    Command("packet.again", ("a",), "again", "the same way once more, or the newest packet", "network", own="again"),
    Command("packets.follow", ("f",), "follow mine", "your own packets as well, or stop", "packets", needs="lab"),
    Command("packets.save", ("s",), "save", "what is kept as pcapng, for Wireshark", "packets", needs="lab"),
    Command("packets.seek", ("slash",), "filter", "only packets with some words", "packets"),
    Command("packets.bytes", ("enter",), "bytes", "choose a hop: its bytes, layer by layer; or click it", "packets"),
    Command("export", ("e",), "export", "the session: a shell script and Markdown notes", "changes", needs="lab"),
    LEAVE,
    Command("terminal.mark", ("shift+up", "shift+down", "shift+left", "shift+right"), "select", "text; Enter copies it, Esc lets it be", "terminal", own="mark"),
    Command("terminal.scroll", ("shift+pageup", "shift+pagedown"), "scroll", "back and on; any other key returns", "terminal", own="scroll"),
    Command("search", ("slash",), "search", "words in a text, and in a terminal that is scrolled back; n and N go on, Esc leaves", "text", own="search"),
    Command("quit.copy", ("ctrl+c",), "Copy or quit", "what is selected is copied, else the tutor ends", own="app.leave_or_copy"),
    *WINDOWS,
)  # fmt: skip
BY_ID: Final = {command.id: command for command in COMMANDS}
Keymap = Mapping[str, tuple[str, ...]]
"""Other keys than those of the table, by the ids of their commands."""
USUAL: Final[Keymap] = {}
"""Every command is on its own keys."""

_NAMES: Final = {
    "question_mark": "?", "slash": "/", "full_stop": ".", "escape": "Esc", "enter": "Enter", "tab": "Tab", "pagedown": "PgDn", "pageup": "PgUp",
    "right_square_bracket": "]", "left": "←", "right": "→", "up": "↑", "down": "↓",
}  # fmt: skip


def key_called(key: str) -> str:
    """How a key is called on screen."""
    held, last = parted(key)
    return held + (_NAMES.get(last) or (last.upper() if last[0] == "f" and last[1:].isdecimal() else sign_of(last) or last))


def key_of(command: Command, keymap: Keymap = USUAL) -> str:
    """The key of a command that bars and hints name."""
    return key_called(keymap.get(command.id, command.keys)[0])


def keys_of_verbs(keymap: Keymap = USUAL) -> tuple[tuple[str, str], ...]:
    """Verbs of the lab, each with the key that does it: for sentences of the lab that name one."""
    return tuple((command.id, key_of(command, keymap)) for command in (*ACTS, MEND, COURSES))


def keys_called(commands: Iterable[Command], keymap: Keymap = USUAL) -> str:
    """The keys of commands that do the same, as one row of help names them."""
    return " ".join(key_called(key) for command in commands for key in keymap.get(command.id, command.keys))


def one_by_one(commands: Iterable[Command]) -> tuple[tuple[Command, ...], ...]:
    """What can be done, each once: commands that do the same by other keys stand together, the first is the one to speak of."""
    same: dict[str, list[Command]] = {}
    for command in commands:
        same.setdefault(command.does or command.id, []).append(command)
    return tuple(map(tuple, same.values()))


def at(*places: Place) -> tuple[Command, ...]:
    """What acts just there, in the order of the table."""
    return tuple(command for command in COMMANDS if command.where in places)


class Shown(NamedTuple):
    """A command as the bar shows it."""

    command: Command
    label: str
    live: bool


def bar(view: View, *, terminal: bool = False) -> tuple[Shown, ...]:
    """The commands at the foot: what counts just now. Those that move between panes stand in the pane's own border."""
    if terminal:
        return tuple(Shown(command, command.label, True) for command in (LEAVE, AFTER, ZOOM))
    if view.fault is None:
        acts = [(command, "Leave play" if command.id == "play" and view.status is not None and view.status.playing else command.label) for command in ACTS]
    elif view.broken:
        acts = [(BY_ID[name], BY_ID[name].label) for name in ("check", "hint", "why", "mend", "goto", "reset")]
    else:
        acts = [(MEND, "Done"), (BY_ID["goto"], "Go to the step that teaches it"), (BY_ID["reset"], "Reset")]
    return (*(Shown(command, label, not command.forbids(view)) for command, label in acts), *(Shown(own, own.label, True) for own in (FIND, HELP, QUIT)))
