"""The table of commands as Textual takes it: bindings with ids, actions, and lines of keys."""

from __future__ import annotations

import re

from textual.binding import Binding, BindingType

from ..commands.command import Command, Place
from ..commands.table import BY_ID, USUAL, Keymap, at, key_of
from ..say.text import Text, keyed


def doing(command: Command) -> str:
    """The action that does it; in a pane that has it of its own, there."""
    return command.own or f"screen.do('{command.id}')"


def bindings(*places: Place) -> list[BindingType]:
    """What acts in these places."""
    return [Binding(",".join(own.keys), doing(own), own.label, id=own.id, show=False, priority=own.first) for own in at(*places)]


def outer(keymap: Keymap) -> frozenset[str]:
    """The keys that act in a terminal too: function keys, and what is pressed with ctrl or alt. All others type something there."""
    keys = (key for own in at("everywhere") for key in keymap.get(own.id, own.keys))
    return frozenset(key for key in keys if re.fullmatch(r"f\d+|.*(ctrl|alt)\+.+", key))


def ending(keymap: Keymap, *, gone: bool = False) -> frozenset[str]:
    """The keys that end the tutor where nothing takes them for text; ``gone``: in the window that says that the lab is."""
    own = ("gone.quit", "window.copy") if gone else ("quit", "quit.copy")
    return frozenset(key for name in own for key in keymap.get(name, BY_ID[name].keys))


def hints(*ids: str, keymap: Keymap = USUAL, end: str = "", **labels: str) -> Text:
    """Some keys and what each does, for a border; ``labels`` are what they do just now, by the last word of the id."""
    named = {name: labels.get(name.rpartition(".")[2], BY_ID[name].label.lower()) for name in ids}
    return keyed({key_of(BY_ID[name], keymap): label for name, label in named.items()}, end)
