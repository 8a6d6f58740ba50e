"""The whole command line as ``argparse`` knows it: every verb, its words and options, and the help."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, NoReturn

from netless_lab.course.places import LANGUAGE, LESSONS

from . import __version__
from .early import LAB_VARIABLE
from .options import WORDLESS, unsaid
from .printer import Exit

_EPILOG = """\
Without a verb the tutor opens. STEP is course/lesson/step or a unique tail of it.
--lab, --lessons, --lang, --json and --theme may stand anywhere before `--`.

Exit codes: 0 passed, 1 the check failed, 2 wrong usage or a bad lesson, 3 this machine cannot, 4 our own fault,
5 there is no such lab. `exec` and `shell` end with the code of what they ran."""


class Parser(argparse.ArgumentParser):
    """argparse that says in one line what is wrong and exits with 2. Options are spelled out: a short form may mean another one tomorrow."""

    def __init__(self, **how: Any) -> None:
        super().__init__(allow_abbrev=False, **how)

    def error(self, message: str) -> NoReturn:
        """Usage errors: what is wrong, what was perhaps meant."""
        self.print_usage(sys.stderr)
        print(f"netless: {message}", file=sys.stderr)
        sys.exit(Exit.USAGE)


def _count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _bytes(text: str) -> int:
    """A number of bytes."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes")
    return int(text)


def parser(only: str = "") -> argparse.ArgumentParser:
    """The whole command line; or of the verbs ``only`` one, for who has written that: all of them take as long to make as it may take to do it."""
    top = Parser(prog="netless", description="Rebuild a container's network by hand, on a real kernel.", epilog=_EPILOG,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("-V", "--version", action="version", version=f"netless {__version__}")
    top.add_argument("--lab", metavar="NAME", help=f"which of your labs (default: ${LAB_VARIABLE}, now %(default)s)")
    top.add_argument("--lessons", metavar="PATH", help=f"a folder of courses beside those that come along (default: ${LESSONS})")
    top.add_argument("--lang", metavar="LANGUAGE", help=f"tell lessons in it where they are translated: zh, pt-BR (default: ${LANGUAGE}, else that of the locale)")
    top.add_argument("--json", action="store_true", help="print one JSON document")
    top.add_argument("--theme", choices=("dark", "light"), help="colours of the tutor (default: asked of the terminal)")
    top.set_defaults(**unsaid(os.environ))
    verbs = top.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser, prog="netless")

    def verb(name: str, text: str = "", more: str = "") -> argparse.ArgumentParser | None:
        text = text or WORDLESS[name]
        return verbs.add_parser(name, help=text, description=text, epilog=more) if only in ("", name) else None

    if tutor := verb("tutor", "open the tutor (the same as no verb)"):
        tutor.add_argument("course", nargs="?", help="the course to open")
    verb("courses")
    if up := verb("up", "start the lab and return when it is ready; it lasts until `down`, or a day without use", more=(
        "A lab ends with `netless down`, and by itself when nobody has used it for a while: 24 hours when a command started it (--lease sets "
        "another time), 30 minutes when the tutor did; quitting that tutor ends it at once, unless somebody else uses it. A tutor, a shell "
        "and an exec use it as long as they last, any other command for a moment. Programs left running in the lab do not count. "
        "Your ticks are always kept.")):
        up.add_argument("course", nargs="?", help="the course whose world is wanted")
        up.add_argument("--lease", type=_count, metavar="MINUTES", help="end it after so many minutes without use (default: 24 hours)")
        up.add_argument("--show", action="append", default=[], metavar="FOLDER", help="show a folder of yours inside, read-only, where it is; may be repeated")
    verb("down")
    verb("status")
    verb("labs")
    verb("doctor")
    if run := verb("run", "do a step for you and judge it"):
        run.add_argument("step", nargs="?", metavar="STEP")
        run.add_argument("--all", action="store_true", dest="rest", help="all steps that remain in the lesson")
        run.add_argument("--dialect", choices=("ip", "legacy", "pyroute2"),
                         help="in this dialect, which the lab speaks from then on: the commands shown are what is done")
    if check := verb("check", "judge the current step, or a step, lesson or course"):
        check.add_argument("step", nargs="?", metavar="STEP")
    verb("back")
    if onward := verb("next", "move on to the next step; nothing is taken away unasked"):
        onward.add_argument("--yes", "-y", action="store_true", help="rebuild the lab for it when it cannot start from what is there")
    if hint := verb("hint", "open the next hint of the current step"):
        hint.add_argument("rung", nargs="?", type=_count, help="open this rung (1, 2 ...)")
    if goto := verb("goto", "rebuild the lab for the start of a step or lesson, or its end"):
        goto.add_argument("step", metavar="STEP")
        goto.add_argument("--end", action="store_true", help="with the step or lesson done")
    if reset := verb("reset", "rebuild to the start of the step or lesson, or the whole lab"):
        reset.add_argument("scope", nargs="?", choices=("step", "lesson", "lab"), default="step")
        reset.add_argument("--yes", "-y", action="store_true", help="do not ask")
    if shell := verb("shell", "a shell in a node of the lab"):
        shell.add_argument("node", nargs="?", default="host")
    if execute := verb("exec", "run a command in a node: netless exec NODE -- CMD ..."):
        execute.usage = "netless exec [-h] NODE [--] CMD ..."
        execute.add_argument("node", metavar="NODE")
    if ping := verb("ping", "send one ping and say what became of it"):
        ping.add_argument("source", metavar="FROM")
        ping.add_argument("target", metavar="TO", help="an address, a node or a name")
        ping.add_argument("--explain", action="store_true", help="where it died, and why, from evidence")
    if why := verb("why", "send one packet and say where it died, and why, from evidence; also what is wrong with an older flow of its kind", more=(
        "TO is a node, an address (IPv6 in brackets before a port), a name with a dot, or a page (http://example.test/). Alone it is pinged; "
        "with :PORT it is a TCP connection, or a UDP datagram with --udp. A datagram is answered also when its target says that nobody listens: "
        "it was reached. The exit code is 0 when the packet was answered, 1 when it was not.")):
        why.add_argument("source", metavar="FROM", help="the node it is sent from")
        why.add_argument("target", metavar="TO[:PORT]", help="a node, an address, a name or a page")
        why.add_argument("--udp", action="store_true", help="a UDP datagram to that port instead of a TCP connection")
        why.add_argument("--size", type=_bytes, metavar="N", help="with N bytes of data, as ping -s counts them (headers are 28 more, IPv6: 48)")
        why.add_argument("--df", action="store_true", help="nobody may cut it into pieces (the don't-fragment bit)")
        why.add_argument("--name", action="store_true", help="TO is a name even if a node is called so: FROM looks it up, then it is reached")
    verb("snapshot")
    if diagram := verb("diagram", "draw the network"):
        diagram.add_argument("--ascii", action="store_true")
        diagram.add_argument("--width", type=_count, metavar="N", help="columns (default: the terminal's)")
        diagram.add_argument("--height", type=_count, metavar="N", help="lines")
        style = diagram.add_mutually_exclusive_group()
        style.add_argument("--svg", metavar="FILE", help="write an SVG picture (- is stdout)")
        style.add_argument("--mermaid", action="store_true")
        style.add_argument("--dot", action="store_true")
    if lint := verb("lint", "prove every step of a lesson or course in a throwaway lab"):
        lint.add_argument("path")
        lint.add_argument("--static", action="store_true", help="only read it, do not run it")
    if progress := verb("progress", "show, export or import progress"):
        progress.add_argument("what", nargs="?", choices=("show", "export", "import"), default="show")
        progress.add_argument("file", nargs="?")
    if history := verb("history", "what was done in this lab, by the tutor and by you"):
        form = history.add_mutually_exclusive_group()
        form.add_argument("--script", action="store_true", help="as a shell script that does it again")
        form.add_argument("--markdown", action="store_true", help="as notes in Markdown")
    if fault := verb("break", "break something on purpose"):
        fault.add_argument("fault", nargs="?", metavar="FAULT", help="which (`netless faults` lists them); without it one is drawn")
        fault.add_argument("--random", action="store_true", help="draw one and tell only what is noticed (the same as no FAULT)")
        fault.add_argument("--seed", type=int, metavar="N", help="the same number draws the same fault")
        fault.add_argument("--node", help="the container it shall be in, where that can be chosen: c1 or c2")
        secret = fault.add_mutually_exclusive_group()
        secret.add_argument("--drill", action="store_true", help="keep secret what it is, and say at the end how long it took")
        secret.add_argument("--exam", action="store_true", help="a drill without hints and without Why")
    verb("faults")
    verb("mend")
    return top
