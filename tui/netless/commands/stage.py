"""What a command may ask of the screen it acts on: to show something, to let a person choose, to move about. Whoever draws implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from netless_lab import protocol
    from netless_lab.model.clearing import Clearing
    from netless_lab.model.journey import Explanation, Journey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..desk.shells import Running, Shell
    from ..record.still import Sight

Where = Literal["lesson", "check", "network", "packets", "changes", "terminal"]
"""A place that can have the focus."""
Pane = Literal["lesson", "network", "lower"]
"""What can be looked at; "lesson" is the lesson with its check below, "lower" is terminal, packets or changes."""
Tab = Literal["packets", "changes"]
"""What the lower pane shows when it shows no terminal."""
WayOut = Literal["end", "keep"]
"""What becomes of a lab that this tutor started, when it is quit."""
Target = tuple[str, bool]
"""A step, and whether its end is meant."""


class Windows(Protocol):
    """Each opens a window, and returns when it is closed, with what was chosen there or None."""

    async def choose_step(self, at: str) -> Target | None:
        """The list of all steps, with this one chosen."""

    async def choose_course(self) -> Target | None:
        """The courses with their lessons."""

    async def choose_scope(self) -> protocol.Scope | None:
        """How much to reset, and what goes with it."""

    async def choose_fault(self) -> protocol.Break | None:
        """What to break."""

    async def choose_hop(self, sought: str) -> tuple[int, int] | None:
        """A hop with these words, of a journey that is kept."""

    async def choose_words(self, sought: str) -> str | None:
        """Words to show only some packets by; until now by these."""

    async def agrees(self, title: str, why: str, clearing: Clearing) -> bool:
        """Whether more may go than what was asked for: what goes and what comes is listed."""

    async def choose_way_out(self, found: protocol.Parting | None, running: Sequence[Running]) -> WayOut | None:
        """What becomes of the lab, which ends with the tutor and takes this along, it did not say what where that is None; and what runs in its shells."""

    async def choose_shells(self, shells: Sequence[Shell]) -> tuple[int, ...] | None:
        """Which of these to go on with, by their numbers."""

    async def agrees_to_give_up(self) -> bool:
        """Whether the fault is to be taken away and told."""

    async def show_cause(self, explanation: Explanation) -> str | None:
        """Why a packet died; the step that teaches it when one wants to go there."""

    async def show_fault(self, text: str, used: str, teaches: str) -> str | None:
        """What was broken and how long it took; the step that teaches it when one wants to go there."""

    async def show_packet(self, packet: protocol.Packet) -> None:
        """The bytes of one packet."""

    async def show_help(self, where: Where) -> None:
        """The keys that act there."""


class Shells(Protocol):
    """The shells of the lab, at this person's terminals and elsewhere."""

    async def running(self) -> tuple[Running, ...]:
        """Those in which something runs and that nobody else is at."""

    @property
    def forbidden(self) -> str:
        """Why none from elsewhere can be had, as a sentence; "" when they can."""

    async def elsewhere(self) -> tuple[Shell, ...]:
        """Those that another tutor has, that nobody has, and that are over."""

    async def take_over(self, chosen: Sequence[Shell]) -> None:
        """Go on with these here; whoever has one is told."""


class Filming(Protocol):
    """Records what the screen shows."""

    @property
    def forbidden(self) -> str:
        """Why that cannot be, as a sentence; "" when it can."""

    def begin(self, file: int, path: str) -> None:
        """To this new file, from now on."""

    async def end(self) -> None:
        """Stop, and say where it is."""


class Stage(Protocol):
    """A screen that commands act on."""

    sought: str
    """Only packets with these words are shown; "" shows all."""

    @property
    def where(self) -> Where:
        """What has the focus."""

    @property
    def windows(self) -> Windows:
        """What can be opened over it."""

    @property
    def filming(self) -> Filming:
        """What records it."""

    @property
    def shells(self) -> Shells:
        """The lab's."""

    @property
    def in_sight(self) -> bool:
        """Whether no other window lies over the main screen: what comes late does not open over it."""

    async def terminal(self, node: str) -> bool:
        """Open the terminal of a node, or go to it; False when that cannot be."""

    async def put_at_prompt(self, node: str, text: str) -> bool:
        """Type this there, without Enter; False when there is no prompt."""

    def replay(self, journey: Journey | None = None) -> None:
        """Let a packet move over the picture: this one, or the newest."""

    def show_pane(self, pane: Pane) -> None:
        """Show a pane, and give it the focus."""

    def next_pane(self, by: int) -> None:
        """Go round the panes."""

    def go_back(self) -> bool:
        """On in what is told, row by row; or else to the pane one came from, or out of one that stands alone. False where one began."""

    def show_log(self, tab: Tab) -> None:
        """Show a log in the lower pane."""

    def zoom(self) -> None:
        """One pane on the whole screen, or all of them again."""

    def sight(self) -> Sight | None:
        """All that is to be seen now, for a picture; None where there is no screen."""

    def turn_theme(self) -> None:
        """The next theme, on the whole screen."""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard and say so; nothing happens for an empty one."""

    def find(self) -> None:
        """Everything there is to do, narrowed by typing."""

    async def leave(self) -> None:
        """Quit, unless somebody who is asked stays."""
