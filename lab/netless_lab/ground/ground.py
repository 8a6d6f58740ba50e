"""What a lab may ask of the ground it stands on, whichever that is: what its nodes are, what may be tuned, ended and named, and how it is
put back.

What the tutor writes to the kernel is looked at, planned, written down, done, and looked at again: actions by ``writing``, timers of new
devices by ``tune``, the way back to the beginning by ``restore`` and ``purge``. Not so, because no line could take it back: ``build`` and
``connect`` make the ground itself, which goes with its namespaces; ``settle`` is for one that nobody has yet; whoever is ended
(``end_strangers``, ``end_marked``, ``clear_the_crowd``) stays so; ``repair`` is about files of the lab. That each namespace gets a number
in the host's, which ``kernel.watch`` needs to hear it, is no state of any node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ..kernel.beginning import Beginning
from ..kernel.read import NodeRef
from ..kernel.toolbox import Launcher
from ..model.clearing import Things
from ..model.needs import Lack
from ..model.outside import FarHost, Outside
from ..sandbox.room_files import Repaired
from ..sandbox.spaces import WayInto
from .ledger import Ledger

OnEnd = Callable[[str, bool], None]
"""(the node, whether the lab itself ended it)"""


class Ground(Launcher, Protocol):
    """Where a lab stands. Its methods may be called from any thread, but for those that are awaited."""

    ledger: Ledger
    agent_pid: int
    limits: str

    async def build(self, containers: tuple[str, ...], outside: Outside, hosts: tuple[FarHost, ...] = ()) -> None:
        """The world before the first step. Raises OSError."""

    def remember(self) -> None:
        """Look at what this ground can put back and no snapshot shows, as it is at the beginning: before anybody comes in. Raises OSError."""

    async def connect(self, outside: Outside, hosts: tuple[FarHost, ...]) -> None:
        """Have this outside behind the host, with these further hosts, in place of what there is. Raises OSError."""

    def refs(self) -> tuple[NodeRef, ...]:
        """The nodes that are the lab's own, host first."""

    def ended(self) -> tuple[str, ...]:
        """The nodes, no containers, whose process somebody ended: nobody can enter them, and connecting anew has them again."""

    def hands_off(self) -> AbstractContextManager[None]:
        """While inside, processes that the lab starts are left to whoever starts them."""

    def tune(self, links: tuple[str, ...], node: NodeRef, *, new: bool) -> None:
        """Give new devices the timers of this ground, and a ``new`` node its limits, written down before; none where they are somebody else's.

        Raises OSError.
        """

    def settle(self) -> None:
        """Give the namespace that this thread is in what this ground has for every container. Raises OSError."""

    def end_strangers(self) -> None:
        """End whoever lives in no node of the lab; nobody where others may live too."""

    def end_marked(self, mark: str) -> None:
        """End what the lab started with this variable in its environment, and wait until it has ended."""

    def alone(self) -> bool:
        """Whether nobody lives here but the processes of the nodes: nobody else can change anything in silence. No where others may live too."""

    def clear_the_crowd(self) -> None:
        """End what runs wild, when nothing more can be started for it."""

    def lacking(self, needs: Iterable[str]) -> tuple[Lack, ...]:
        """What the machine lacks of these ``model.needs``. Takes a thread that may wait."""

    def crowded(self) -> str:
        """That too much runs to start more, in words; "" when not."""

    def ending(self, containers: Collection[str], places: Mapping[int, str], *, anew: bool) -> Things:
        """The programs that end when just these containers are to run, in words, each with its place; with ``anew`` also the files that only such a
        restoring takes away or gives back. ``places`` are the names of network namespaces, by inode. Takes a thread that may wait.
        """

    def written(self, ref: NodeRef) -> Things:
        """What somebody wrote into files of a node's own that every ``restore`` gives back, in words. Takes a thread that may wait."""

    def made(self) -> Things:
        """The files that somebody made and that go with the lab, in words. Takes a thread that may wait."""

    def restore(self, containers: tuple[str, ...], beginning: Beginning, *, anew: bool = False) -> tuple[str, ...]:
        """Have exactly these containers run, with ``anew`` in fresh namespaces, and everything else that is no setting of a node as it was.
        The paths of the lab's own files that were missing and are there again.

        It is written down before, and ends with a ``purge``, which tells of those that are still missing too.
        """

    def purge(
        self, refs: Sequence[NodeRef], beginning: Beginning, bare: Collection[int], passing: Collection[int], renewed: Collection[int]
    ) -> tuple[str, ...]:
        """Have in these nodes what was in them at the beginning: see ``kernel.purge``. What could not be put right, in words, is written down; else
        nothing that was written down before stands any more.
        """

    def hang_up(self) -> None:
        """What serves in nodes that are about to be made anew serves no more. In the loop."""

    async def serve(self) -> None:
        """It serves again: the nodes are what they were."""

    def repair(self) -> Repaired:
        """Put back what is missing of the lab's own files."""

    def release(self) -> None:
        """Let go of nodes that have ended; nobody looks into them any more."""

    def way_into(self, ref: NodeRef) -> WayInto:
        """The way into a node. Raises Refusal when it has gone."""

    def outside_pid(self, pid: int | None) -> int | None:
        """A process of the lab as the machine outside numbers it; None where that cannot be known."""
