"""What the main screen does with packets: replay, following, saving, filtering, and the bytes of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netless_lab import protocol
from netless_lab.model.journey import Journey

from ..drawing import frames_of
from ..pages.logs import Packet
from ..reduce import Following, Told

if TYPE_CHECKING:
    from textual.screen import Screen

    from ..app import TutorApp
    from ..widgets.lower import Lower
    from ..widgets.picture import Picture

    Base = Screen[None]
else:
    Base = object


class Studying(Base):
    """Mixed into the main screen, which gives it the panes and the app."""

    _hop_at = ""
    """The hop that was looked at last, as ``journey:hop``."""

    if TYPE_CHECKING:
        app: TutorApp
        lower: Lower
        picture: Picture

        def settle(self, anew: bool = False) -> None:
            """See ``TutorScreen``."""

    # -- replay ------------------------------------------------------------------------------------------------------------

    def replay_last(self, after: Sequence[Packet] = ()) -> None:
        """Let the newest packet that was followed move over the picture; only one that came after these, when they are given."""
        known = {id(event) for event in after}
        packets = self.app.view.packets
        found = next((event.journey for event in reversed(packets) if event.journey is not None and id(event) not in known), None)
        self._replay(found)

    def _replay(self, journey: Journey | None) -> None:
        scene = self.picture.scene
        if journey is not None and scene is not None:
            self.picture.play(frames_of(journey, scene))

    # -- packets -------------------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        """Follow the learner's own packets, or stop."""
        self.run_worker(self._follow(not self.app.view.following), group="follow", exclusive=True)

    async def _follow(self, on: bool) -> None:
        told = await self.app.ask(protocol.Follow(on))
        if told is not None:
            self.app.take(Following(told.following))
            for text in told.missing:
                self.app.take(Told("warning", text))

    def action_save_packets(self) -> None:
        """Save every packet that is kept, for Wireshark."""
        self.run_worker(self._save_packets(), group="save", exclusive=True)

    async def _save_packets(self) -> None:
        capture = await self.app.ask(protocol.GetCapture())
        if capture is not None:
            from ..export import write_packets

            self.app.take(write_packets(capture, self.app.view.lab))

    def action_seek(self) -> None:
        """Show only some packets."""
        from .packets import SeekScreen

        self.app.push_screen(SeekScreen(self.lower.packets.sought), self._seek)

    def _seek(self, sought: str | None) -> None:
        if sought is not None:
            self.lower.packets.seek(sought)
            self.settle()

    def action_look_at_hop(self, journey: int, hop: int) -> None:
        """What the bytes of one hop mean."""
        self.run_worker(self._look_at_hop(journey, hop), group="hop", exclusive=True)

    def action_choose_hop(self) -> None:
        """Choose a hop by key; its bytes follow."""
        from .packets import HopsScreen

        self.app.push_screen(HopsScreen(self.app.view.packets, self.lower.packets.sought, self._hop_at), self._hop_chosen)

    def _hop_chosen(self, chosen: tuple[int, int] | None) -> None:
        if chosen is not None:
            self._hop_at = f"{chosen[0]}:{chosen[1]}"
            self.action_look_at_hop(*chosen)

    async def _look_at_hop(self, journey: int, hop: int) -> None:
        packet = await self.app.ask(protocol.GetPacket(journey, hop))
        if packet is None:
            return
        if self.is_active:
            from .packets import LayersScreen

            self.app.push_screen(LayersScreen(packet))
        else:
            self.app.take(Told("info", "The bytes of the packet are there: choose its hop again to see them."))
