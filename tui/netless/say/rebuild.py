"""The lab built anew: what goes and comes with a reset, and what happened to a lab that is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from netless_lab.model.clearing import Clearing
from netless_lab.protocol import Scope

from ..commands.table import BY_ID, USUAL, Keymap, key_of
from .links import TakeScope
from .text import BLANK, EMPTY, Block, Blocks, Look, plain, ticked

SCOPES: Final[Mapping[Scope, str]] = {
    "step": "to the start of this step",
    "lesson": "to the start of this lesson",
    "lab": "the whole lab, as it was at the very beginning",
}


def resetting(chosen: Scope, clearing: Clearing | None, *, refused: bool) -> Blocks:
    """The scopes, and what goes and comes with the chosen one: None while that is not known, or when it is ``refused``."""
    tabs = [plain(f" {scope} ", *_LOOKS[scope == chosen]).leading(TakeScope(scope)) for scope in SCOPES]
    blocks = (Block(BLANK.between(tabs)), Block(plain(SCOPES[chosen].capitalize() + ".", "muted")), EMPTY)
    if refused:
        return (*blocks, Block(plain("The lab did not say what would go, so nothing is reset from here.")))
    if clearing is None:
        return (*blocks, Block(plain("Looking what would go …", "muted")))
    return (*blocks, *what_goes(clearing))


def what_goes(clearing: Clearing) -> Blocks:
    """What goes and comes with a reset."""
    return _when_done(clearing) if clearing else (Block(plain("Nothing to reset: the lab is as it was.")),)


def consenting(why: str, clearing: Clearing) -> Blocks:
    """Why a yes is asked for, and what goes and comes with it."""
    return (Block(ticked(why)), EMPTY, *_when_done(clearing))


def _when_done(clearing: Clearing) -> Blocks:
    return (Block(plain("When it is done:", "strong")), *cleared(clearing.going, clearing.coming))


_LOOKS: Final[Mapping[bool, tuple[Look, ...]]] = {True: ("strong", "underlined", "accent"), False: ("muted",)}


def cleared(going: Iterable[str], coming: Iterable[str]) -> Blocks:
    """What goes and what comes, line by line; all of it is so afterwards."""
    goes = [Block(plain(line), first=plain("- ", "bad")) for line in going]
    comes = [Block(plain(line), first=plain("+ ", "good")) for line in coming]
    return (*goes, *comes)


def gone(reason: str, step: str, keymap: Keymap = USUAL) -> Blocks:
    """What happened to a lab, and what can be done. ``step`` is the title of the step the learner was in, "" when the lab never came."""
    blocks = tuple(Block(plain(line[:1].upper() + line[1:])) for line in f"{reason.strip().rstrip('.')}.".split("\n"))
    if not step:
        later = f"{key_of(BY_ID['gone.rebuild'], keymap)} tries again: once that is mended, in another terminal."
        return (*blocks, EMPTY, Block(plain(later, "muted")))
    lost = "Everything in the lab went with it; nothing of it is left on this machine. Your progress is kept."
    again = f"{key_of(BY_ID['gone.rebuild'], keymap)} builds it again and brings you back to “{step}”."
    return (*blocks, EMPTY, Block(plain(lost, "muted")), EMPTY, Block(plain(again)))
