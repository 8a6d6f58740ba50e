"""Everything that was done in a session, in order: by the tutor as actions, by the learner as the changes that were seen.

It can be written down as a shell script that does it again, or as Markdown notes. Bounded: the oldest entries go first.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

from msgspec.structs import replace

from ..course.step import Position
from ..harmless import ACTING, harmless
from ..model.changes import Change, NodeAppeared, NodeRenamed, NodeVanished, done_by_somebody
from ..model.clearing import Things
from ..model.diff import diff
from ..model.snapshot import Snapshot
from ..model.telling import sentence
from ..primitives.base import Action, Where, word
from ..primitives.namespace import AddNetns, NameAttach, NameSymlink, StartContainer, StopContainer, Unname
from ..primitives.run import Doing
from ..protocol import Entry

MOST = 2000
"""How many entries are kept."""
_MEANING: Final = re.compile(r"[\\`*_\[\]<>&~]")
"""Signs with a meaning inside a line of Markdown (CommonMark, 6, and GitHub's strikethrough)."""


_NOTHING: Final = Things()
_PID_OF: Final = "$(pid_of "
_FINDS_PIDS: Final = """
pid_of() {  # a process of the container with this host name: in another lab it has another number
    for _ in $(seq 200); do
        for _pid in $(lsns -n -t uts -o PID); do  # the first of each host name, which stays; hostname(1), which gives it, does not
            if [ "$(nsenter -t "$_pid" -u hostname 2>/dev/null)" = "$1" ]; then
                echo "$_pid"
                return 0
            fi
        done
        sleep 0.05
    done
    echo "there is no container $1" >&2
    return 1
}"""
_WAITS: Final = """
kill() {  # and wait until it has ended: what comes next may be another of its name
    command kill "$@"
    while [ -e "/proc/$2/ns/net" ]; do sleep 0.01; done
}"""


class InAnyLab(Where, frozen=True):
    """Commands for the host that hold in any lab: a process is found by its container's host name (``pid_of`` of the script)."""

    def pid(self, node: str) -> str:
        """What the shell finds out when it comes to this line; process 1 is the host's in every lab."""
        return "1" if node == "host" else f"{_PID_OF}{word(node)})"


class History:
    """The session so far."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST)
        self._secret: set[Entry] = set()
        self._nameless: dict[str, Entry] = {}
        """Namespaces that are there and that nobody gave a host name, by what they are called now: how they appeared."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """From the oldest kept to the newest, without what is secret yet."""
        return tuple(entry for entry in self._entries if entry not in self._secret)

    def did(self, actions: Iterable[Action], before: Snapshot, text: str, step: str) -> None:
        """The tutor did this, to the lab as it was ``before``."""
        self._entries.append(Entry(time.time(), "tutor", text, _lines(actions, _names(before)), step))

    def saw(self, changes: tuple[Change, ...], before: Snapshot, after: Snapshot, step: str) -> None:
        """The learner did this to the lab as it was ``before``: what changed, in an order in which the commands for it can be typed."""
        self._keep(_seen("learner", changes, before, after, step))

    def befell(self, changes: tuple[Change, ...], before: Snapshot, after: Snapshot, step: str, *, secret: bool) -> None:
        """The lab broke or mended itself on purpose. What is ``secret`` shows nowhere until ``reveal``."""
        entries = self._keep(_seen("lab", changes, before, after, step))
        self._secret |= set(entries) if secret else set()

    def reveal(self) -> None:
        """Nobody seeks any longer: what was secret stands where it happened."""
        self._secret.clear()

    def rebuilt(self, actions: Iterable[Action], place: Position, *, end: bool) -> None:
        """The lab was rebuilt from its beginning by these actions: what stands above did not happen to what stands below."""
        self._begin(f"the lab was rebuilt for the {'end' if end else 'start'} of {place}", _lines(actions, {}), place)

    def not_built(self, beginning: Snapshot, left: Snapshot, place: Position) -> None:
        """To be rebuilt the lab was taken back to its beginning, and then it could not be: this was ``left`` of it."""
        self._begin(f"the lab was taken back to its beginning, and could not be rebuilt for {place}", (), place)
        self._keep(_seen("lab", diff(beginning, left), beginning, left, str(place)))

    def noted(self, text: str, step: str) -> None:
        """Something befell the lab that no command does again."""
        self._entries.append(Entry(time.time(), "lab", text, (), step))

    def _begin(self, text: str, lines: tuple[str, ...], place: Position) -> None:
        """The lab begins anew: no namespace of before is there."""
        self._nameless.clear()
        self._entries.append(Entry(time.time(), "lab", text, lines, str(place), anew=True))

    def _keep(self, told: list[tuple[Change, Entry]]) -> list[Entry]:
        """What was seen, in its order. A namespace without a host name cannot be found in another lab: where it is spoken of, it is made under the
        one that it comes to have, else under what it is called here, which is known not to be all of it.
        """
        for change, entry in told:
            match change:
                case NodeAppeared(node=node) if entry.unsaid:
                    self._nameless[node] = entry
                case NodeRenamed(before=before, node=node) if before in self._nameless:
                    entry = self._called(before, node, entry)
                case NodeVanished(node=node) if node in self._nameless:
                    entry = self._ended(node, entry)
            self._entries.append(entry)
            for node in self._nameless:
                if any(_found(node) in line for line in entry.lines):
                    self._instead(self._nameless[node], replace(self._nameless[node], lines=_started(node)), node)
        return list(self._entries)[len(self._entries) - len(told) :]

    def _called(self, before: str, node: str, entry: Entry) -> Entry:
        """A namespace has got a name, with its host name the lines that start it: it has it from where it appeared on."""
        own = self._nameless.pop(before)
        if own not in self._entries:
            return entry
        for place in range(self._entries.index(own) + 1, len(self._entries)):
            told = self._entries[place]
            self._instead(told, replace(told, lines=tuple(line.replace(_found(before), _found(node)) for line in told.lines)))
        started = _started(node) if own.lines or entry.lines else ()
        self._instead(own, replace(own, lines=started, unsaid=not entry.lines), "" if entry.lines else node)
        return replace(entry, lines=())

    def _ended(self, node: str, entry: Entry) -> Entry:
        """It is gone, so nothing of it is missing; what stands for it in another lab ends too."""
        own = self._nameless.pop(node)
        self._instead(own, replace(own, unsaid=False))
        return replace(entry, lines=_lines((StopContainer(node),), {})) if own.lines else entry

    def _instead(self, told: Entry, now: Entry, nameless: str = "") -> None:
        """Put another in an entry's place, where it is still kept, as secret as it was; it may tell how one that is ``nameless`` appeared."""
        if nameless:
            self._nameless[nameless] = now
        if told in self._entries:
            self._entries[self._entries.index(told)] = now
        if told in self._secret:
            self._secret = self._secret - {told} | {now}


def _seen(
    who: Literal["learner", "lab"], changes: tuple[Change, ...], before: Snapshot, after: Snapshot, step: str
) -> list[tuple[Change, Entry]]:
    from ..primitives.retell import retell  # no lab needs it to be ready

    names = _names(before)
    told = retell(filter(done_by_somebody, changes), before, after)
    return [
        (own.change, Entry(time.time(), who, sentence(own.change), _lines(own.instead, names), step, unsaid=own.doings is None))
        for own in told
    ]


def _found(node: str) -> str:
    """What a line says to find a process of a node that has no name."""
    return InAnyLab().pid(node)


def _started(node: str) -> tuple[str, ...]:
    return _lines((StartContainer(node),), {})


def _names(snapshot: Snapshot) -> dict[str, str]:
    """A name in /run/netns for each node that has one."""
    return {node.name: node.names[0] for node in snapshot.nodes if node.names}


def _lines(doings: Iterable[Action | Doing], names: dict[str, str]) -> tuple[str, ...]:
    """The lines that do this, one after the other; ``names`` are those that lead to a node before, and are kept up to date."""
    lines: list[str] = []
    for doing in doings:
        lines += doing.commands("ip", InAnyLab("host", dict(names)))
        match doing:
            case NameSymlink(name=name, node=node) | NameAttach(name=name, node=node):
                names.setdefault(node, name)
            case AddNetns(name=name):
                names[name] = name
            case Unname(name=name):
                for node in [node for node, own in names.items() if own == name]:
                    del names[node]
    return tuple(lines)


def script(entries: tuple[Entry, ...], unseen: Things = _NOTHING) -> str:
    """A shell script for the host of a fresh lab, which makes of it what this lab is. What has no plain command stands as a comment that says
    so, and so does what is ``unseen``: otherwise than at the beginning, though nothing of it was seen to happen. Then the script, when it is
    run, says that it has not made all.
    """
    begun = max((number for number, entry in enumerate(entries) if entry.anew), default=0)
    kept = entries[begun:]
    course = kept[-1].step.partition("/")[0] if kept else ""
    fresh = f"a fresh lab (netless up {course})" if course else "a fresh lab"
    lines = ["#!/bin/sh", f"# What was done in a netless lab. Run it in {fresh}: netless exec host -- sh < FILE", "set -eu"]
    if any(_PID_OF in line for entry in kept for line in entry.lines):
        lines += _FINDS_PIDS.split("\n")
    if any(line.startswith("kill ") for entry in kept for line in entry.lines):
        lines += _WAITS.split("\n")
    step = ""
    for entry in kept:
        if entry.step != step:
            step = entry.step
            lines += ["", f"# --- {step}"]
        lines.append(f"# {_told(entry)}")
        lines += [_NOT_MADE] * entry.unsaid
        lines += map(_typed, entry.lines)
    beside = [f"#   there: {_printable(what)}" for what in unseen.going] + [f"#   gone: {_printable(what)}" for what in unseen.coming]
    lines += ["", "# No command here makes this, which no picture shows:", *beside] if beside else []
    missing = sum(entry.unsaid for entry in kept) + len(beside)
    lines += ["", f"echo 'This script has not made all of it: no command is known for {missing} of what its comments tell.' >&2"] if missing else []
    return "\n".join(lines) + "\n"


_NOT_MADE: Final = "# (no command here does that)"


def notes(entries: tuple[Entry, ...]) -> str:
    """Markdown notes of the session: a heading for each step, then what happened and how. Whatever the names in it, none is Markdown: every
    line of a command stands in its code block, and a sentence is text.
    """
    lines = ["# Notes from a netless lab", ""]
    step = ""
    for entry in entries:
        if entry.step != step:
            step = entry.step
            lines += [f"## {step}", ""]
        lines.append(f"* {_told(entry, '**', _plain)}")
        if entry.lines:
            lines += ["", *(f"      {line}" for command in entry.lines for line in _shown(command)), ""]
    return "\n".join(lines).rstrip() + "\n"


def _told(entry: Entry, mark: str = "", write: Callable[[str], str] = str) -> str:
    """One line, whatever names it tells of: a line feed may stand in that of a namespace, and what follows it is not to become a command."""
    return f"{time.strftime('%H:%M:%S', time.localtime(entry.at))} {mark}{entry.who}{mark}: {write(_printable(entry.text))}"


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _typed(command: str) -> str:
    """A command that does the same and holds no sign that acts on whoever it is shown to: printf(1) writes the sign when it is run. Its
    lines and tabs stay.
    """
    written: list[str] = []
    quote, escaped = "", False
    for sign in command:
        if not escaped and sign in "'\"" and quote in ("", sign):
            quote = "" if quote else sign
        if not escaped and sign not in "\t\n" and re.match(ACTING, sign):
            said = "$(printf '" + "".join(f"\\{byte:03o}" for byte in sign.encode()) + "')"
            written.append({"'": f"'\"{said}\"'", '"': said, "": f'"{said}"'}[quote])
        else:
            written.append(sign)
        escaped = not escaped and sign == "\\" and quote != "'"
    return "".join(written)


def _shown(command: str) -> list[str]:
    """The lines of a command as they are read: a name may hold line feeds, and those of a quoted program are its lines."""
    return harmless(command, "\t\n").split("\n")


def _plain(text: str) -> str:
    """The text in Markdown, where a backslash takes its meaning from a sign (CommonMark, 2.4)."""
    return _MEANING.sub(r"\\\g<0>", text)
