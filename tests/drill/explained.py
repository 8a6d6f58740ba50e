"""An explanation held against the fault it was asked about: is the place right, is the cause, and was a wrong one called certain?"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from helpers.running import Running
from netless_lab.drill.format import Fault
from netless_lab.model.journey import Explanation
from netless_lab.protocol import Explain


def held_out(fault_id: str) -> bool:
    """Whether a fault was kept from the eyes of those who write the rules of ``explain``: a third of them, by a hash of the id."""
    return int(hashlib.sha256(fault_id.encode()).hexdigest(), 16) % 3 == 0


@dataclass(frozen=True)
class Judged:
    """What an explanation of a fault's first symptom is worth. ``took_ms`` is the whole call."""

    fault: Fault
    told: Explanation
    took_ms: float

    @property
    def held_out(self) -> bool:
        """Whether the fault was kept from whoever wrote the rules."""
        return held_out(self.fault.id)

    @property
    def place_right(self) -> bool:
        """Whether one of the fault's own places is named."""
        return self.told.place in {str(place) for place in self.fault.places}

    @property
    def cause_right(self) -> bool:
        """Whether one of the fault's own causes is named."""
        return self.told.code in self.fault.causes

    @property
    def wrong_and_certain(self) -> bool:
        """The one thing that may never happen."""
        return bool(self.told.code) and not self.cause_right and self.told.certainty == "certain"


def explained(lab: Running, fault: Fault) -> Judged:
    """Ask why the first symptom of a fault that is on fails."""
    start = time.monotonic()
    told = lab.client.ask(Explain(fault.symptom[0].probe))
    return Judged(fault, told, (time.monotonic() - start) * 1000)
