"""What can be broken on purpose, as a list to choose from."""

from __future__ import annotations

from typing import Final

from netless_lab.model.listed import Listed

from .cells import padded
from .text import Looked, Row, Text, blanks, joined, plain

ANY: Final = "?drill"
EXAM: Final = "?exam"
"""Choices that name no fault."""


def faults_of(faults: tuple[Listed, ...], seed: int, search: str) -> list[Row]:
    """The two ways of being surprised, then every fault by its title, as far as it holds every word of the search."""
    words = search.lower().split()
    out: list[Row] = []
    if not words:
        text = "Something in the network is broken on purpose. You are told what is noticed; find the cause and repair it however you like."
        number: Looked = (f"  seed {seed}", "faint")
        out += [
            Row(plain(text, "muted")),
            Row(joined("")),
            Row(joined(("Anything, in secret", "strong"), ("   hints and Why help", "muted"), number), ANY),
            Row(joined(("Anything, as an exam", "strong"), ("  hints and Why locked", "muted"), number), EXAM),
            Row(joined("")),
            Row(plain("Or one by name. Titles tell what is wrong: for instructors.", "warn")),
        ]
    found = [_fault(fault) for fault in faults if all(word in f"{fault.title} {fault.id} {fault.teaches}".lower() for word in words)]
    return [*out, *found] if found or not words else [Row(joined(("Nothing matches.", "muted")))]


def _fault(fault: Listed) -> Row:
    """A fault by its title, with the lesson and the step it teaches; or why it cannot be had here."""
    if fault.lacks:
        return Row(plain(f"{fault.title}: this machine lacks {fault.lacks}", "faint"), rest=blanks(2))
    return Row(plain(fault.title), fault.id, rest=blanks(2), note=joined((f"  {fault.teaches.partition('/')[2]}", "faint")))


def named(fault: Listed, width: int) -> Text:
    """One fault with its id, in a column of so many cells, and where it is taught."""
    lack = f"  (this machine lacks {fault.lacks})" if fault.lacks else ""
    return joined((padded(fault.id, width), "strong"), f"  {fault.title}  ", (fault.teaches, "muted"), lack)
