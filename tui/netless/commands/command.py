"""One thing that can be done by a key: what it is called and where it acts. What it does is in ``doing``, which is imported when a key is first pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from ..desk.view import View, forbids

if TYPE_CHECKING:
    from netless_lab.protocol import Act

Place = Literal[
    "everywhere", "tutor", "network", "packets", "changes", "terminal", "text",
    "window", "list", "help", "goto", "courses", "reset", "consent", "leaving", "drill", "mend", "told", "why", "hops", "packet", "seek", "shells", "gone",
]  # fmt: skip
"""Where keys act: in a terminal as well; wherever else the main screen has the focus; in one pane; in every text;
in every window, every list, one window.
"""
PLACES: Final[tuple[Place, ...]] = get_args(Place)


class Command(NamedTuple):
    """One thing that can be done.

    ``keys`` are named as Textual names them, ``label`` is a word or two for a bar, ``help`` a line that says what it does.
    ``own``: the window or pane that has the focus does it itself, by an action of this name. ``same``: it does what the command of this id does.
    ``needs``: what the lab has to allow, or that it is there. ``first``: the key acts before what has the focus may take it.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    where: Place = "tutor"
    own: str = ""
    same: str = ""
    needs: Act | Literal["", "lab"] = ""
    first: bool = False

    @property
    def does(self) -> str:
        """The id by which ``doing`` knows what it does; "" when it is done where the focus is."""
        return "" if self.own else self.same or self.id

    def forbids(self, view: View) -> str:
        """Why it cannot be done now, as a sentence; "" when it can."""
        match self.needs:
            case "":
                return ""
            case "lab":
                return "" if view.status is not None else "The lab is not there yet."
            case act:
                return forbids(view, act)
