"""The one table of the command line: every verb, its words and options, what their values are. Read at every start, so it imports next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from netless_lab.course.places import LANGUAGE, LESSONS

from ..early import LAB_VARIABLE

Values = Literal["text", "lab", "node", "course", "step", "fault", "seed", "count", "bytes", "file", "folder", "choice"]
"""What a value may be. The first rows of these are completed by asking (``ASKED``); "choice" is one of the choices, the last name places on disk."""
ASKED: Final[tuple[Values, ...]] = ("lab", "node", "course", "step", "fault")
"""Values that only a lab, or the courses that are there, can tell: ``netless complete KIND`` lists them."""


class Word(NamedTuple):
    """A word of a verb that is known by its place."""

    name: str
    values: Values
    metavar: str = ""
    """How usage calls it; "" is its name, or its choices."""
    help: str = ""
    choices: tuple[str, ...] = ()
    needed: bool = False
    default: str | None = None

    @property
    def called(self) -> str:
        """How usage calls it."""
        return self.metavar or "|".join(self.choices) or self.name.upper()


class Option(NamedTuple):
    """An option, of a verb or of all of them."""

    flags: tuple[str, ...]
    help: str
    values: Values | None = None
    """None: no value follows."""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    name: str = ""
    """What the code calls it; "" is its first flag."""
    repeated: bool = False
    apart: str = ""
    """Of the options of a verb that are apart in the same thing only one can be given."""
    variable: str = ""
    """The variable of the environment that says the same."""
    otherwise: str = ""
    """What counts when neither is given, where that is to be said."""

    @property
    def value(self) -> str:
        """How usage calls the value, "" when none follows."""
        return "" if self.values is None else self.metavar or "|".join(self.choices) or self.flags[0].lstrip("-").upper()


class Verb(NamedTuple):
    """A verb: the module of ``netless.verbs`` that does it, in a sentence what, its words and options, and what else its help says."""

    name: str
    module: str
    help: str
    words: tuple[Word, ...] = ()
    options: tuple[Option, ...] = ()
    more: str = ""
    command: str = ""
    """How usage calls the command line that may follow, "" when none may."""
    hidden: bool = False
    """Whether only programs use it: no list has it."""


def _verb(name: str, module: str, help: str, *parts: Word | Option, more: str = "", command: str = "", hidden: bool = False) -> Verb:
    words = tuple(part for part in parts if isinstance(part, Word))
    return Verb(name, module, help, words, tuple(part for part in parts if isinstance(part, Option)), more, command, hidden)


ABOUT: Final = "Rebuild a container's network by hand, on a real kernel."
EXITS: Final[Mapping[int, str]] = {
    0: "passed", 1: "the check failed or nothing was done (forbidden now, or nobody agreed)", 2: "wrong usage or a bad lesson",
    3: "this machine cannot", 4: "our own fault", 5: "there is no such lab",
}  # fmt: skip
"""What an exit code means (``printer.Exit``)."""
EXITS_NOTE: Final = "`exec` and `shell` end with the code of what they ran."

GLOBAL: Final = (
    Option(("--lab",), "which of your labs", "lab", "NAME", variable=LAB_VARIABLE),
    Option(("--lessons",), "a folder of courses beside those that come along", "folder", "PATH", variable=LESSONS),
    Option(("--lang",), "tell lessons in it where they are translated: zh, pt-BR", "text", "LANGUAGE", variable=LANGUAGE, otherwise="else that of the locale"),
    Option(("--json",), "print one JSON document"),
    Option(("--theme",), "colours of the tutor: auto, dark, light or one of your own", "text", "NAME", variable="NETLESS_THEME", otherwise="else as the terminal is"),
    Option(("--plain",), "the tutor line by line, without a screen: for readers that speak, and for terminals of any kind"),
    Option(("--glyphs",), "signs of the tutor", "choice", choices=("auto", "unicode", "ascii"), variable="NETLESS_GLYPHS", otherwise="else as the locale can"),
    Option(("--record",), "record all that the tutor shows into this new file, for asciinema", "file", "FILE"),
)
"""Options that may stand anywhere before ``--``."""
NOTES: Final = (
    "Without a verb the tutor opens. STEP is course/lesson/step or a unique tail of it.",
    f"{', '.join(option.flags[0] for option in GLOBAL[:-1])} and {GLOBAL[-1].flags[0]} may stand anywhere before `--`.",
)

_STEP: Final = Word("step", "step")
_YES: Final = ("--yes", "-y")

VERBS: Final = {
    verb.name: verb
    for verb in (
        _verb("tutor", "tutor", "open the tutor (the same as no verb)", Word("course", "course", help="the course to open")),
        _verb("courses", "look", "list courses, lessons and steps"),
        _verb(
            "up", "lab", "start the lab and return when it is ready; it lasts until `down`, or a day without use",
            Word("course", "course", help="the course whose world is wanted"),
            Option(("--lease",), "end it after so many minutes without use (default: 24 hours)", "count", "MINUTES"),
            Option(("--show",), "show a folder of yours inside, read-only, where it is; may be repeated", "folder", "FOLDER", repeated=True),
            more="A lab ends with `netless down`, and by itself when nobody has used it for a while: 24 hours when a command started it (--lease sets "
            "another time), 30 minutes when the tutor did; quitting that tutor ends it at once, unless somebody else uses it. A tutor, a shell "
            "and an exec use it as long as they last, any other command for a moment, and `follow` not at all. Programs and shells left running in the lab do not count. "
            "Shells of a tutor that ended before its lab are as they were left when it is opened again. Your ticks are always kept.",
        ),
        _verb("down", "lab", "end the lab; everything in it is gone"),
        _verb("status", "lab", "where the lab stands: position, ticks, nodes"),
        _verb("labs", "lab", "list your labs that run"),
        _verb("doctor", "lab", "what this machine can and cannot, and what to do about it"),
        _verb(
            "run", "steps", "do a step for you and judge it", _STEP,
            Option(("--all",), "all steps that remain in the lesson", name="rest"),
            Option(("--dialect",), "in this dialect, which the lab speaks from then on: the commands shown are what is done", "choice",
                   choices=("ip", "legacy", "pyroute2")),
        ),
        _verb("check", "steps", "judge the current step, or a step, lesson or course", _STEP),
        _verb(
            "back", "steps", "undo the last step, or your own last change; nothing else is taken away unasked",
            Option(_YES, "rebuild the lab for it, whatever else of yours goes with that"),
        ),
        _verb(
            "next", "steps", "move on to the next step; nothing is taken away unasked",
            Option(_YES, "rebuild the lab for it when it cannot start from what is there"),
        ),
        _verb("hint", "steps", "open the next hint of the current step", Word("rung", "count", help="open this rung (1, 2 ...)")),
        _verb(
            "goto", "steps", "rebuild the lab for the start of a step or lesson, or its end", _STEP._replace(needed=True),
            Option(("--end",), "with the step or lesson done"),
        ),
        _verb(
            "reset", "steps", "rebuild to the start of the step or lesson, or the whole lab",
            Word("scope", "choice", choices=("step", "lesson", "lab"), default="step"), Option(_YES, "do not ask"),
        ),
        _verb("shell", "nodes", "a shell in a node of the lab", Word("node", "node", default="host")),
        _verb("exec", "nodes", "run a command in a node", Word("node", "node", needed=True), command="CMD ..."),
        _verb(
            "ping", "nodes", "send one ping and say what became of it",
            Word("source", "node", "FROM", needed=True), Word("target", "node", "TO", "an address, a node or a name", needed=True),
            Option(("--explain",), "where it died, and why, from evidence"),
        ),
        _verb(
            "why", "why", "send one packet and say where it died, and why, from evidence; also what is wrong with an older flow of its kind",
            Word("source", "node", "FROM", "the node it is sent from; without FROM and TO the packet that was lost last in this step"),
            Word("target", "node", "TO[:PORT]", "a node, an address, a name or a page"),
            Option(("--udp",), "a UDP datagram to that port instead of a TCP connection"),
            Option(("--size",), "with N bytes of data, as ping -s counts them (headers are 28 more, IPv6: 48)", "bytes", "N"),
            Option(("--df",), "nobody may cut it into pieces (the don't-fragment bit)"),
            Option(("--name",), "TO is a name even if a node is called so: FROM looks it up, then it is reached"),
            more="TO is a node, an address (IPv6 in brackets before a port), a name with a dot, or a page (http://example.test/). Alone it is pinged; "
            "with :PORT it is a TCP connection, or a UDP datagram with --udp. A datagram is answered also when its target says that nobody listens: "
            "it was reached. The exit code is 0 when the packet was answered, 1 when it was not.",
        ),
        _verb("keys", "keys", "the keys of the tutor"),
        _verb(
            "follow", "follow", "tell what happens in the lab, line by line, until it ends: steps, verdicts, changes and who made them",
            Option(("--packets",), "packets too: each probe, and the learner's own while they are followed"),
            Option(("--only",), "only this; may be repeated", "choice", choices=("step", "verdict", "change", "packet", "why", "hint", "notice"), repeated=True),
            more="With --json each line is one document. It only looks on: the lab's lease runs all the while, and neither a tutor that is quit nor `down` "
            "waits for it. The exit code is 0 when the lab ended in good order, 4 when it was killed.",
        ),
        _verb("snapshot", "look", "the state of every node"),
        _verb(
            "diagram", "look", "draw the network",
            Option(("--ascii",), "with the signs that every terminal has"),
            Option(("--width",), "columns (default: the terminal's)", "count", "N"),
            Option(("--height",), "lines", "count", "N"),
            Option(("--svg",), "write an SVG picture (- is stdout)", "file", "FILE", apart="form"),
            Option(("--mermaid",), "as text for Mermaid", apart="form"),
            Option(("--dot",), "as text for Graphviz", apart="form"),
        ),
        _verb(
            "lint", "authors", "prove every step of a lesson or course in a throwaway lab", Word("path", "file", needed=True),
            Option(("--static",), "only read it, do not run it"),
        ),
        _verb(
            "progress", "progress", "show, export or import progress",
            Word("what", "choice", choices=("show", "export", "import"), default="show"), Word("file", "file"),
        ),
        _verb(
            "config", "config", "your settings: what counts and who says it (show), where the file lies (path), what is wrong with it (check)",
            Word("what", "choice", choices=("show", "path", "check"), default="show"), Option(("--example",), "print a file with every setting and what it means"),
        ),
        _verb(
            "history", "progress", "what was done in this lab, by the tutor and by you",
            Option(("--script",), "as a shell script that does it again", apart="form"),
            Option(("--markdown",), "as notes in Markdown", apart="form"),
        ),
        _verb(
            "break", "faults", "break something on purpose; nothing of yours is taken away unasked",
            Word("fault", "fault", help="which (`netless faults` lists them); without it one is drawn"),
            Option(("--random",), "draw one and tell only what is noticed (the same as no FAULT)"),
            Option(("--seed",), "the same number draws the same fault", "seed", "N"),
            Option(("--node",), "the container it shall be in, where that can be chosen: c1 or c2", "node"),
            Option(("--drill",), "keep secret what it is, and say at the end how long it took", apart="secret"),
            Option(("--exam",), "a drill without hints and without Why", apart="secret"),
            Option(_YES, "rebuild the lab for it where that has to be, whatever of yours goes with that"),
        ),
        _verb("faults", "faults", "list the faults that can be injected"),
        _verb("mend", "faults", "take the injected faults away"),
        _verb(
            "completions", "shells", "print what completes netless in a shell", Word("shell", "choice", choices=("bash", "zsh", "fish"), needed=True),
            more="For this shell alone: source <(netless completions bash), or zsh; netless completions fish | source. For all to come: in bash into "
            "~/.local/share/bash-completion/completions/netless, in zsh into a file _netless in a folder of $fpath, in fish into "
            "~/.config/fish/completions/netless.fish.",
        ),
        _verb("man", "shells", "print the man page: `netless man | man -l -` reads it"),
        _verb(
            "complete", "shells", "list what may stand somewhere, for the completions",
            Word("kind", "choice", choices=ASKED, needed=True), Word("begun", "text", default=""), hidden=True,
        ),
    )
}  # fmt: skip
"""Every verb by its name, in the order of the help."""
SHOWN: Final = tuple(verb for verb in VERBS.values() if not verb.hidden)
"""The verbs of every list."""
WORDLESS: Final = {verb.name: verb.help for verb in SHOWN if not (verb.words or verb.options or verb.command)}
"""Verbs with no words and options of their own, and what they do."""


def synopsis(verb: Verb) -> str:
    """A verb with its words and options, as usage writes them."""
    words = [word.called if word.needed else f"[{word.called}]" for word in verb.words]
    options: dict[str, str] = {}
    for option in verb.options:
        own = " ".join(filter(None, (option.flags[0], option.value)))
        key = option.apart or option.flags[0]
        options[key] = f"{options[key]} | {own}" if key in options else own
    given = [*words, *(f"[{each}]" for each in options.values()), *(("[--]", verb.command) if verb.command else ())]
    return " ".join((verb.name, *given))


def readme() -> str:
    """The table of the README: each verb with its words, and what it does beside it, or below where there is no room."""
    lines = [f"    {'netless':<38} the tutor"]
    for verb in SHOWN[1:]:
        left = f"netless {synopsis(verb)}"
        lines += [f"    {left:<38} {verb.help}"] if len(left) <= 38 else [f"    {left}", f"    {'':<38} {verb.help}"]
    return "\n".join(lines) + "\n"
