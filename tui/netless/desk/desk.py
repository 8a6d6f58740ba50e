"""A desk: one person at one lab. It holds the conversation and what is known from it, whoever draws it: a screen, a board of many, a command."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from netless_lab import protocol
from netless_lab.client import LabGone, Refused
from netless_lab.errors import Refusal
from netless_lab.protocol import Request

from ..called import Called
from .connection import Connection, at_once
from .reduce import Answered, Asked, Courses, Event, Hinted, Told, reduce
from .trail import Trail
from .view import Level, View

R = TypeVar("R")
Connect = Callable[[], socket.socket]
"""A way to a connected socket of the lab's agent; may start the lab first, and may block."""
Heard = Callable[[View, Event, View], None]
"""Hears an event, with the view before it and the view after it."""


class Desk:
    """One ``lab``, and the ``view`` of it: the truth. ``changed`` is called in the loop whenever the view is another, ``heard`` with every event,
    the view before it and the view after it. ``onlooker`` and ``past`` as for ``Connection``.

    Everything changes the view in the order of the wire, replies as well as events: whoever waits for a reply finds in ``view`` all that the lab
    said before it.
    """

    def __init__(
        self, lab: str, connect: Connect, changed: Callable[[], None] = lambda: None, *, called: Called | None = None,
        heard: Heard = lambda before, event, after: None, onlooker: bool = False, past: bool = False,
    ) -> None:  # fmt: skip
        self.view = View(lab=lab, called=called or Called())
        self.trail = Trail()
        self._changed = changed
        self._heard_of = heard
        self._joined = partial(Connection, lab, connect, self.take, onlooker=onlooker, past=past)
        self._connection = self._joined()
        self._asked: list[str] = []

    async def converse(self, ready: Callable[[], Awaitable[object]] = at_once) -> None:
        """Join the lab, and talk to it as soon as it is there and one is ``ready``, until it ends or this task is cancelled."""
        await self._connection.converse(ready)

    def begin_anew(self) -> None:
        """Forget a lab that is gone, but for what is not its own and where it stood: ``converse`` joins the one that takes its place, and until that
        is back there (``commands.time.go_back``) the view says so.
        """
        self.view = self.view.of_another_lab()
        self._connection = self._joined()
        self._changed()

    def take(self, event: Event) -> None:
        """Change the view at once."""
        self.trail.event(event)
        before, self.view = self.view, reduce(self.view, event)
        if self.view is not before:
            self._changed()
        self._heard_of(before, event, self.view)

    def tell(self, level: Level, text: str, *, of_step: bool = False, lapses: bool = False) -> None:
        """Tell whoever sits here something in passing. It may speak of the step where one is (``of_step``), and ``lapses`` when it is so only as things
        stand there now (``Saying``).
        """
        self.take(Told(level, text, of_step=of_step, lapses=lapses))

    async def ask(self, request: Request[R], *, saying: str = "") -> R | None:
        """Ask and wait for the answer. A refusal, or what is no answer, is told and comes back as None, as when the lab has gone.

        With a ``saying`` ("Running the step") the lab counts as busy with that until it has answered.
        """
        answer = await self.attempt(request, saying=saying)
        if isinstance(answer, Refused):
            self._tell_refused(answer)
            return None
        return answer

    async def attempt(self, request: Request[R], *, saying: str = "") -> R | Refused | None:
        """The same, but what a yes would turn into a doing comes back as it was refused, with what would go and come.

        What moves the lab is asked of the lab as it is seen here.
        """
        self.trail.asked(request)
        if isinstance(request, protocol.Move) and request.seen is None and self.view.status is not None:
            request = replace(request, seen=self.view.status.moves)
        try:
            with self.busy(saying):
                return await self._connection.ask(request, self._heard(request))
        except (Refused, Refusal) as refused:
            if isinstance(refused, Refused) and refused.going is not None:
                return refused
            self._tell_refused(refused)
        except LabGone:
            pass
        return None

    def _tell_refused(self, refused: Refused | Refusal) -> None:
        self.take(Told("error", str(refused), refused.nearest, of_step=True))

    @contextmanager
    def busy(self, saying: str) -> Iterator[None]:
        """The lab counts as busy with this for as long as several requests take; "" leaves it as it is."""
        if saying:
            self._asked.append(saying)
            self.take(Asked(saying))
        try:
            yield
        finally:
            if saying:
                self._asked.remove(saying)
                self.take(Asked(self._asked[-1]) if self._asked else Answered())

    def _heard(self, request: Request[Any]) -> Callable[[object], None]:
        """What a reply to this request changes in the view."""

        def heard(reply: object) -> None:
            match request, reply:
                case protocol.Hint(), protocol.Help(text=text, about=about):
                    self.take(Hinted(text, about))
                case protocol.GetCourses(), tuple() as courses:
                    self.take(Courses(courses))
                case _:
                    pass

        return heard
