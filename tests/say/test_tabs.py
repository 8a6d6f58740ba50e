"""The tabs of a screen with room for one pane: keys that act stand there as long as there is room, and none that does not act. Pure."""

from __future__ import annotations

import pytest

from netless.say.links import Link, ShowPane, ShowTerminal
from netless.say.tabs import Fixed, all_tabs

KEYS = {"lesson": "F1", "network": "F2", "terminal": "F3", "packets": "F4", "changes": "F5"}


@pytest.mark.parametrize(
    ("nodes", "width", "keyed", "shown"),
    [
        (("host", "c1"), 80, True, "F1 Lesson ┊ F2 Network ┊ F3 Terminal host c1 ┊ F4 Packets ┊ F5 Changes"),
        (("host", "c1", "c2"), 72, True, "F1 Lesson ┊ F2 Network ┊ F3 host c1 c2 ┊ F4 Packets ┊ F5 Changes"),
        (("host", "c1", "c2"), 60, True, "Lesson ┊ Network ┊ Terminal host c1 c2 ┊ Packets ┊ Changes"),
        (("host", "c1"), 80, False, "Lesson ┊ Network ┊ Terminal host c1 ┊ Packets ┊ Changes"),
    ],
)
def test_tabs(nodes: tuple[str, ...], width: int, keyed: bool, shown: str) -> None:
    """With room for all, for the keys but not for the word, for the word but not for the keys; and while keys go to a shell."""
    assert all_tabs(Fixed.LESSON, nodes, frozenset(), width, KEYS if keyed else {}).plain == shown


def test_a_node_may_be_called_as_a_pane_is() -> None:
    """One of the two is chosen, whichever is meant."""
    names = tuple(own.value for own in Fixed)

    def chosen(shown: Fixed | str) -> list[tuple[str, Link | None]]:
        return [(span.text, span.link) for span in all_tabs(shown, names, frozenset(), 200, KEYS).spans if "strong" in span.looks]

    for name in names:
        assert chosen(name) == [(name, ShowTerminal(name))]
        assert chosen(Fixed(name)) == [(name.capitalize(), ShowPane(name))]  # type: ignore[arg-type]
