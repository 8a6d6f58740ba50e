"""What a piece of text leads to when it is chosen. Values travel as they are and are never parsed; what to do with one is the reader's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from netless_lab.primitives.base import Dialect


class Copy(msgspec.Struct, frozen=True):
    """To the clipboard."""

    text: str


class ToStep(msgspec.Struct, frozen=True):
    """To a step, as ``goto`` names it."""

    target: str


class UseDialect(msgspec.Struct, frozen=True):
    """Commands in this dialect from now on."""

    dialect: Dialect


class Do(msgspec.Struct, frozen=True):
    """A command of the screen."""

    command: Literal["next", "goto", "mend", "copy"]


class ShowPane(msgspec.Struct, frozen=True):
    """A pane of its own, or a log."""

    pane: Literal["lesson", "network", "packets", "changes"]


class ShowTerminal(msgspec.Struct, frozen=True):
    """A node's terminal."""

    node: str


class ToHop(msgspec.Struct, frozen=True):
    """The bytes of one hop."""

    journey: int
    hop: int


class TakeScope(msgspec.Struct, frozen=True):
    """How much a reset is to take back."""

    scope: Literal["step", "lesson", "lab"]


Link = Copy | ToStep | UseDialect | Do | ShowPane | ShowTerminal | ToHop | TakeScope
