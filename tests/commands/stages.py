"""A stage that notes what it is asked to show and answers as a test has it: for what commands do at a desk, without any screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from app import story
from app.helpers import Answer, Peer
from app.recordings import recorded
from netless.commands.stage import Filming, Pane, Tab, Target, WayOut, Where, Windows
from netless.desk.desk import Desk
from netless.desk.shells import Running, Shell
from netless.record.still import Sight
from netless_lab import protocol
from netless_lab.model.clearing import Clearing
from netless_lab.model.journey import Explanation, Journey


class NotedWindows:
    """What was opened, with what; each window is closed at once with what ``chosen`` has for it, or nothing. ``then`` is done before it closes."""

    def __init__(self, chosen: Mapping[str, Any] | None = None, then: Callable[[], None] = lambda: None) -> None:
        self.opened: list[tuple[object, ...]] = []
        self._chosen = chosen or {}
        self._then = then

    def _closed(self, name: str, *given: object) -> Any:
        self.opened.append((name, *given))
        self._then()
        return self._chosen.get(name)

    async def choose_step(self, at: str) -> Target | None:
        """A step."""
        return self._closed("step", at)  # type: ignore[no-any-return]

    async def choose_course(self) -> Target | None:
        """A lesson."""
        return self._closed("course")  # type: ignore[no-any-return]

    async def choose_scope(self) -> protocol.Scope | None:
        """A scope."""
        return self._closed("scope")  # type: ignore[no-any-return]

    async def choose_fault(self) -> protocol.Break | None:
        """A fault."""
        return self._closed("fault")  # type: ignore[no-any-return]

    async def choose_hop(self, sought: str) -> tuple[int, int] | None:
        """A hop."""
        return self._closed("hop", sought)  # type: ignore[no-any-return]

    async def choose_words(self, sought: str) -> str | None:
        """Words."""
        return self._closed("words", sought)  # type: ignore[no-any-return]

    async def agrees(self, title: str, why: str, clearing: Clearing) -> bool:
        """A yes or a no."""
        return bool(self._closed("agrees", title, why, clearing))

    async def choose_way_out(self, found: protocol.Parting | None, running: Sequence[Running]) -> WayOut | None:
        """As it was decided."""
        return self._closed("way out", found, running)  # type: ignore[no-any-return]

    async def choose_shells(self, shells: Sequence[Shell]) -> tuple[int, ...] | None:
        """Some of them."""
        return self._closed("shells", shells)  # type: ignore[no-any-return]

    async def agrees_to_give_up(self) -> bool:
        """A yes or a no."""
        return bool(self._closed("give up"))

    async def show_cause(self, explanation: Explanation) -> str | None:
        """Perhaps a step."""
        return self._closed("cause", explanation)  # type: ignore[no-any-return]

    async def show_fault(self, text: str, used: str, teaches: str) -> str | None:
        """Perhaps a step."""
        return self._closed("fault told", text, teaches)  # type: ignore[no-any-return]

    async def show_packet(self, packet: protocol.Packet) -> None:
        """Nothing to choose."""
        self._closed("packet", packet)

    async def show_help(self, where: Where) -> None:
        """Nothing to choose."""
        self._closed("help", where)


class NotedShells:
    """Those that are ``there``, and those that were taken over, as ``had``."""

    def __init__(self) -> None:
        self.forbidden = ""
        self.there: tuple[Shell, ...] = ()
        self.had: list[Shell] = []

    async def running(self) -> tuple[Running, ...]:
        """In none."""
        return ()

    async def elsewhere(self) -> tuple[Shell, ...]:
        """All."""
        return self.there

    async def take_over(self, chosen: Sequence[Shell]) -> None:
        """Noted."""
        self.had += chosen


class NotedStage:
    """What it was asked to do, in order, as ``did``."""

    def __init__(self, windows: NotedWindows | None = None, *, in_sight: bool = True, prompt: bool = True, began: bool = False) -> None:
        self.noted = windows or NotedWindows()
        self.did: list[tuple[object, ...]] = []
        self.sought = ""
        self.in_sight = in_sight
        self.others = NotedShells()
        self._prompt, self._began = prompt, began

    @property
    def windows(self) -> Windows:
        """Its windows."""
        return self.noted

    @property
    def filming(self) -> Filming:
        """What is filmed is no matter of a stage that nobody sees: the tests of the app have it."""
        raise NotImplementedError

    @property
    def shells(self) -> NotedShells:
        """Those that are elsewhere."""
        return self.others

    def sight(self) -> Sight:
        """Nothing is to be seen here."""
        raise NotImplementedError

    @property
    def where(self) -> Where:
        """Always the picture."""
        return "network"

    async def terminal(self, node: str) -> bool:
        """Noted."""
        self.did.append(("terminal", node))
        return True

    async def put_at_prompt(self, node: str, text: str) -> bool:
        """Noted."""
        self.did.append(("typed", node, text))
        return self._prompt

    def replay(self, journey: Journey | None = None) -> None:
        """Noted."""
        self.did.append(("replay", journey))

    def show_pane(self, pane: Pane) -> None:
        """Noted."""
        self.did.append(("pane", pane))

    def next_pane(self, by: int) -> None:
        """Noted."""
        self.did.append(("next pane", by))

    def go_back(self) -> bool:
        """Noted; unless one is where one began."""
        self.did.append(("back",))
        return not self._began

    def show_log(self, tab: Tab) -> None:
        """Noted."""
        self.did.append(("log", tab))

    def zoom(self) -> None:
        """Noted."""
        self.did.append(("zoom",))

    def turn_theme(self) -> None:
        """Noted."""
        self.did.append(("theme",))

    def copy(self, text: str) -> None:
        """Noted."""
        self.did.append(("copy", text))

    def find(self) -> None:
        """Noted."""
        self.did.append(("find",))

    async def leave(self) -> None:
        """Noted."""
        self.did.append(("leave",))


@asynccontextmanager
async def seated(
    opening: Sequence[protocol.Message] | None = None, answers: dict[type[protocol.Request[Any]], Answer] | None = None
) -> AsyncIterator[tuple[Desk, Peer]]:
    """Somebody who has joined a lab that says what a real one said; and the lab's end of the wire."""
    peer = Peer(story.opening() if opening is None else opening, {protocol.GetCourses: recorded("plug-courses").answer, **(answers or {})})
    changed = asyncio.Event()
    desk = Desk("default", peer.connect, changed.set)
    talk = asyncio.create_task(desk.converse())
    try:
        async with asyncio.timeout(20):
            while desk.view.status is None or not desk.view.courses:
                await changed.wait()
                changed.clear()
        yield desk, peer
    finally:
        talk.cancel()
        with suppress(asyncio.CancelledError):
            await talk
