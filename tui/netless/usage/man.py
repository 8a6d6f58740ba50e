"""The man page, as troff with the macros of man(7), printed from the tables: of the command line, and of keys and settings, which are handed in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .table import ABOUT, EXITS, EXITS_NOTE, GLOBAL, NOTES, SHOWN, Option, Verb, synopsis

_SETTINGS: Final = (
    "They stand in a file of TOML; `netless config --example` prints one. An option counts before a variable, that before the file, "
    "that before the default."
)


class Said(NamedTuple):
    """A setting as the page has it: what it means and what it is by itself, and the variable and the option that say the same ("" for none)."""

    name: str
    means: str
    variable: str
    option: str


Keys = Iterable[tuple[str, Iterable[tuple[str, str]]]]
"""Under headings: keys, and what they do (``commands.printed.rows``)."""


def page(version: str, keys: Keys, settings: Sequence[Said]) -> str:
    """The whole page."""
    lines = [
        f'.TH NETLESS 1 "" "netless {version}" "User Commands"',
        ".SH NAME", f"netless \\- {_plain(_lower(ABOUT))}",
        ".SH SYNOPSIS", ".B netless", _plain(" ".join(f"[{_written(option)}]" for option in GLOBAL) + " [VERB ...]"),
        ".SH DESCRIPTION", *_paragraph(ABOUT), *(line for note in NOTES for line in (".PP", *_paragraph(note))),
        ".SH OPTIONS", *(line for option in GLOBAL for line in _option(option)),
        ".SH VERBS", *(line for verb in SHOWN for line in _verb(verb)),
        '.SH "EXIT STATUS"', *(line for code, means in EXITS.items() for line in (".TP", f".B {code}", _plain(means))), ".PP", *_paragraph(EXITS_NOTE),
        ".SH KEYS", *_paragraph("Those of the tutor, unless the settings have others."), *(line for head, rows in keys for line in _keys(head, rows)),
        ".SH SETTINGS", *_paragraph(_SETTINGS), *(line for own in settings for line in (".TP", f".B {own.name}", *_paragraph(own.means))),
        ".SH ENVIRONMENT", *(line for own in settings if own.variable for line in (".TP", f".B {own.variable}", *_paragraph(_the_same(own)))),
        ".TP", ".B NO_COLOR", *_paragraph("nothing is coloured, whatever it holds"),
        ".SH FILES", ".TP", ".I ~/.config/netless/config.toml", *_paragraph("the settings"),
        ".TP", ".I ~/.config/netless/themes/NAME.toml", *_paragraph("a theme of your own"),
        ".PP", *_paragraph("With XDG_CONFIG_HOME both lie in its folder netless instead."),
        '.SH "SEE ALSO"', ".BR ip (8),", ".BR nft (8),", ".BR network_namespaces (7),", ".BR veth (4)",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _verb(verb: Verb) -> list[str]:
    lines = [f'.SS "{_plain(f"netless {synopsis(verb)}")}"', *_paragraph(verb.help)]
    for word in verb.words:
        if word.help:
            lines += [".TP", f".I {_plain(word.called)}", *_paragraph(word.help)]
    lines += [line for option in verb.options for line in _option(option)]
    return [*lines, ".PP", *_paragraph(verb.more)] if verb.more else lines


def _keys(head: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f'.SS "{_plain(head)}"', *(line for keys, does in rows for line in (".TP", rf"\fB{_plain(keys)}\fR", *_paragraph(does)))]


def _the_same(own: Said) -> str:
    return f"the same as {own.option}, and as {own.name} in the settings" if own.option else f"the same as {own.name} in the settings"


def _option(option: Option) -> list[str]:
    said = f" (default: {', '.join(filter(None, (f'${option.variable}', option.otherwise)))})" if option.variable else ""
    flags = ", ".join(rf"\fB{_plain(flag)}\fR" for flag in option.flags)
    value = rf" \fI{_plain(option.value)}\fR" if option.value else ""
    return [".TP", flags + value, *_paragraph(option.help + said)]


def _written(option: Option) -> str:
    return " ".join(filter(None, (option.flags[0], option.value)))


def _paragraph(text: str) -> list[str]:
    """A sentence a line, as troff wants them."""
    return [_plain(line) for line in re.split(r"(?<=[.:;]) ", text)]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _plain(text: str) -> str:
    """A text that troff prints as it stands: no escapes, no requests, minus signs that can be copied."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("`", r"\(ga").replace("'", r"\(aq").replace("~", r"\(ti").replace("^", r"\(ha")
    safe = "".join(sign if sign.isascii() else rf"\[u{ord(sign):04X}]" for sign in safe)
    return rf"\&{safe}" if safe[:1] in (".", "'") else safe
