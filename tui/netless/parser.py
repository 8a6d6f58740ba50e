"""The command line as ``argparse`` reads it: made from the table of ``usage``."""

from __future__ import annotations

import argparse
import os
import textwrap
from typing import Any, Final, NoReturn

from . import __version__
from .options import Namespace, Words, unsaid
from .usage.table import ABOUT, EXITS, EXITS_NOTE, GLOBAL, NOTES, SHOWN, VERBS, Option, Values, Verb, Word, synopsis


class WrongUsage(Exception):
    """What is wrong with a command line, and the ``usage`` that would be right."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.usage = usage


class Parser(argparse.ArgumentParser):
    """argparse that says in one line what is wrong. Options are spelled out: a short form may mean another one tomorrow."""

    def __init__(self, **how: Any) -> None:
        super().__init__(allow_abbrev=False, **how)

    def error(self, message: str) -> NoReturn:
        """Raises ``WrongUsage``: whoever asked says it, as it was asked for."""
        raise WrongUsage(message, self.format_usage().rstrip())


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


_READ: Final = {"count": _count, "bytes": _bytes, "seed": int}
"""How values that are no text are read."""


def read(given: Words) -> Namespace:
    """What a command line asks for. Raises ``WrongUsage``."""
    return parser(given.verb if given.rest[:1] == (given.verb,) else "").parse_args([*given.ours, *given.rest], Namespace())


def parser(only: str = "") -> argparse.ArgumentParser:
    """The whole command line; or of the verbs ``only`` one, for who has written that: all of them take as long to make as it may take to do it."""
    codes = textwrap.fill(f"Exit codes: {', '.join(f'{code} {means}' for code, means in EXITS.items())}. {EXITS_NOTE}", 110)
    top = Parser(prog="netless", description=ABOUT, epilog="\n".join((*NOTES, "", codes)), formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("-V", "--version", action="version", version=f"netless {__version__}")
    for option in GLOBAL:
        default = (f"${option.variable}", "now %(default)s" if option.values == "lab" else option.otherwise)
        _add_option(top, option, f" (default: {', '.join(filter(None, default))})" if option.variable else "")
    top.set_defaults(**unsaid(os.environ))
    verbs = top.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser, prog="netless")
    for verb in (VERBS[only],) if only else SHOWN:
        _fill(verbs.add_parser(verb.name, help=verb.help, description=verb.help, epilog=verb.more), verb)
    return top


def _fill(into: argparse.ArgumentParser, verb: Verb) -> None:
    if verb.command:
        into.usage = f"netless {synopsis(verb).replace(verb.name, f'{verb.name} [-h]', 1)}"
    for word in verb.words:
        _add_word(into, word)
    apart: dict[str, argparse._MutuallyExclusiveGroup] = {}
    for option in verb.options:
        if option.apart and option.apart not in apart:
            apart[option.apart] = into.add_mutually_exclusive_group()
        _add_option(apart[option.apart] if option.apart else into, option)


def _add_word(into: argparse.ArgumentParser, word: Word) -> None:
    into.add_argument(
        word.name, nargs=None if word.needed else "?", metavar=None if word.choices else word.called, help=word.help,
        choices=word.choices or None, default=word.default, type=_read(word.values),
    )  # fmt: skip


def _add_option(into: argparse._ActionsContainer, option: Option, more: str = "") -> None:
    dest = option.name or option.flags[0].lstrip("-")
    if option.values is None:
        into.add_argument(*option.flags, action="store_true", dest=dest, help=option.help + more)
        return
    into.add_argument(
        *option.flags, dest=dest, help=option.help + more, metavar=None if option.choices else option.value, choices=option.choices or None,
        type=_read(option.values), action="append" if option.repeated else "store", default=[] if option.repeated else None,
    )  # fmt: skip


def _read(values: Values) -> Any:
    return _READ.get(values, str)
