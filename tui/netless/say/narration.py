"""What happens in a lab, told as it happens: from an event, and what was known before it and after it, to lines of text.

Each line says all of it in words, since nobody may see where it stands: a pipe, a log, a reader that speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from netless_lab import protocol
from netless_lab.course.verdict import ItemResult, Verdict
from netless_lab.model.journey import Explanation

from ..desk.reduce import Ended, Event, Told
from ..desk.view import Level, View, step_called
from .changes import typed
from .check import scored
from .drill import sort
from .packets import death_words, hops, sentence
from .text import BLANK, Block, Blocks, Text, blanks, joined, plain, ticked
from .why import UNKNOWN, place_words

Kind = Literal["step", "verdict", "change", "packet", "why", "hint", "notice", "end"]
"""What is told of: where one is, what holds, who did what, each packet, why one died, help that was asked for, what has to be noticed, the end."""
USUAL: Final[tuple[Kind, ...]] = ("step", "verdict", "change", "why", "hint", "notice")
"""What is told of to one who has not chosen."""
WHO: Final[Mapping[str, str]] = {
    "action": "Done by the tutor: ", "tutor": "Changed by the tutor: ", "learner": "Changed by the learner: ", "kernel": "Changed by itself: ",
    "packet": "Packet of the learner's: ",
}  # fmt: skip
"""Whose doing something is, in front of it."""
MINE: Final[Mapping[str, str]] = {**WHO, "tutor": "", "learner": "Changed: ", "packet": "Your packet: "}
"""The same, told to the learner himself: of the tutor's doing only what it did, not what came of it."""
NOTICED: Final[Mapping[Level, str]] = {"info": "", "warning": "Notice: ", "error": "Error: "}
"""In front of what is told in passing, by its weight."""


About = Literal["", "arrived", "score", "holds", "broken", "played"]
"""What it is in particular, for who tells more of it than a line: somebody came to a step, how much of one holds, that one holds, something is broken,
play mode begins or ends."""


class Line(msgspec.Struct, frozen=True):
    """Something that happened: when, by the wall clock, of which kind, at which step, and in words, with what belongs to it below."""

    at: float
    kind: Kind
    position: str
    text: Text
    below: Blocks = ()
    about: About = ""


class _Telling(NamedTuple):
    kind: Kind
    text: Text
    below: Blocks = ()
    about: About = ""


class Narrator:
    """Tells what happens in a lab, event after event, to one who hears all of it; at first where it stands, and what does not hold there.

    What held when it was last judged is remembered here: on the way to a verdict its packets are waited for, and that is told by nobody.
    """

    def __init__(self, who: Mapping[str, str] = WHO) -> None:
        self._who = who
        self._judged = ""
        """Of what ``_held`` is: a step, or something broken at some time."""
        self._held: dict[str, ItemResult] = {}
        self._beside: frozenset[str] = frozenset()
        """What is there that is not what the step asks for, and what no step has asked for, in the sentences that were told of it."""

    def tell(self, before: View, event: Event, after: View, now: float) -> tuple[Line, ...]:
        """What an event has to tell, nothing where it only repeats what is known: of the view ``before`` it, and ``after`` it. ``now`` is the wall
        clock, for what does not say when it was.
        """
        at = getattr(event, "at", now)
        position = after.status.position if after.status is not None else ""
        return tuple(Line(at, own.kind, position, own.text, own.below, own.about) for own in self._told(before, event, after))

    def _told(self, before: View, event: Event, after: View) -> Iterator[_Telling]:
        match event:
            case protocol.StatusEvent():
                yield from _status(before, after)
                yield from self._drill(before, after)
            case protocol.VerdictEvent(verdict=verdict, completed=completed):
                yield from self._verdict(verdict, completed, after)
            case protocol.ActionEvent(sentence=said):
                yield _Telling("change", joined((self._who["action"], "strong"), said), tuple(typed(event)))
            case protocol.ChangesEvent(who=own, lines=lines):
                for line in lines if self._who[own] else ():
                    if not line.quiet:
                        yield _Telling("change", joined((self._who[own], "strong"), line.sentence))
            case protocol.ProbeEvent():
                yield _Telling("packet", _probe(event))
            case protocol.JourneyEvent():
                yield _Telling("packet", _own_packet(event, self._who["packet"]))
            case protocol.Explained(explanation=explanation):
                yield _Telling("why", joined(("Asked why: ", "strong"), ticked(explanation.seen)), tuple(_cause(explanation)))
            case protocol.Notice() | Told():
                told = after.sayings[-1]
                yield _Telling("notice", joined((NOTICED[told.level], "strong", "warn"), ticked(told.text)))
            case protocol.Bye() | Ended() if not before.ended:
                yield _Telling("end", joined(("The lab has ended: ", "strong"), after.ended))
            case _:
                pass

    def _verdict(self, verdict: Verdict, completed: bool, after: View) -> Iterator[_Telling]:
        """What holds now and did not before, and the other way round."""
        if verdict.result == "waiting":
            return
        first, anew, passed = not self._judged, self._judged != verdict.step, self._passed
        yield from self._claims(verdict.step, verdict)
        if completed and after.status is not None:
            own = f"Step done{verdict.but}" if verdict.but else f"Step done. {after.status.page.success}".strip()
            yield _Telling("verdict", ticked(own, "strong", "good"), about="holds")
        elif verdict.passed and (anew or not passed):
            yield _Telling("verdict", joined(("The step holds.", "strong", "good")), about="holds")
        elif anew:
            yield _Telling("verdict", scored(verdict), tuple(_lacking(verdict)) if first else (), about="score")

    def _drill(self, before: View, after: View) -> Iterator[_Telling]:
        """Something is broken on purpose, is well again, or is put away."""
        old, new = before.fault, after.fault
        if new is None:
            if old is not None:
                yield _Telling("step", plain("Nothing is broken on purpose now.", "strong"))
            return
        same = old is not None and old.began == new.began
        if not same:
            kind = sort(new) if new.drill or new.exam else "Broken on purpose"
            yield _Telling("step", joined((f"{kind}: ", "strong"), ticked(new.tells)), about="broken")
        if new.verdict is not None:
            yield from self._claims(f"fault {new.began}", new.verdict)
            if before.status is None and not new.healthy:
                yield _Telling("verdict", scored(new.verdict), tuple(_lacking(new.verdict)))
        solved = new.verdict is not None and new.verdict.passed  # the lab itself says so, and how long it took
        if new.healthy and not solved and not (same and old is not None and old.healthy):
            was = joined(" It was: ", new.title) if new.title else BLANK
            yield _Telling("verdict", joined(("It was given up.", "strong"), was))

    @property
    def _passed(self) -> bool:
        return all(result not in ("fail", "error") for result in self._held.values())

    def _claims(self, judged: str, verdict: Verdict) -> Iterator[_Telling]:
        """Claim by claim, what is another than it was when it was judged last."""
        anew = judged != self._judged
        known = {} if anew else self._held
        for item in verdict.items:
            held = known.get(item.claim)
            near = (Block(ticked(item.near), first=blanks(2)),) if item.near and item.near not in self._beside else ()
            if item.result == "pass" and held in ("fail", "error"):
                yield _Telling("verdict", joined(("Done: ", "strong", "good"), ticked(item.claim)))
            elif item.result in ("fail", "error") and held == "pass":
                seen = (Block(joined("Seen: ", ticked(item.seen))),) if item.seen else ()
                yield _Telling("verdict", joined(("Not so any more: ", "strong", "bad"), ticked(item.claim)), (*near, *seen))
            elif near and not anew:
                yield _Telling("verdict", joined(("Not yet: ", "strong"), ticked(item.claim)), near)
        for text in () if anew else verdict.extras:
            if text not in self._beside:
                yield _Telling("verdict", joined(("Also there: ", "strong"), ticked(text)))
        self._beside = frozenset((*(item.near for item in verdict.items), *verdict.extras))
        self._judged = judged
        self._held = {item.claim: item.result if item.result != "waiting" else known.get(item.claim, "fail") for item in verdict.items}


def _lacking(verdict: Verdict) -> Iterator[Block]:
    """What does not hold, for one who has heard nothing of it so far."""
    for item in verdict.items:
        if item.result in ("fail", "error"):
            yield Block(joined(("Not so: ", "strong"), ticked(item.claim)))


def _status(before: View, after: View) -> Iterator[_Telling]:
    """Where one is, as far as that is new."""
    old, new = before.status, after.status
    assert new is not None, "the event was a status"
    if old is None or old.position != new.position:
        page = new.page
        number = f"Step {page.number} of {page.of}: "
        yield _Telling("step", joined((number, "strong"), step_called(after, new.position), (f" ({new.position})", "muted")), about="arrived")
    elif len(old.page.hints_open) < len(new.page.hints_open):
        for count, hint in enumerate(new.page.hints_open[len(old.page.hints_open) :], len(old.page.hints_open) + 1):
            yield _Telling("hint", joined((f"Hint {count} of {new.page.hints_total}: ", "strong"), ticked(hint)))
    if new.playing != (old is not None and old.playing):
        yield _Telling("step", plain("Play mode: nothing is judged." if new.playing else "Play mode is over: the step is judged again.", "strong"), about="played")


def packet(event: protocol.ProbeEvent | protocol.JourneyEvent, sought: str = "") -> Blocks:
    """A packet told to the learner himself; with ``sought`` what of its way holds these words, or nothing at all."""
    told = _probe(event) if isinstance(event, protocol.ProbeEvent) else _own_packet(event, MINE["packet"])
    way = tuple(hops(event.journey, sought)) if sought and event.journey is not None else ()
    return (Block(told), *way) if way or not sought else ()


def _own_packet(event: protocol.JourneyEvent, whose: str) -> Text:
    journey = event.journey
    end = "arrived" if journey.complete else death_words(journey.death) if journey.death else "seen"
    title = plain(journey.title) if journey.title else plain(f"{journey.source} → {journey.target}")
    return joined((whose, "strong"), title, f": {end}")


def _probe(event: protocol.ProbeEvent) -> Text:
    outcome = event.outcome
    good = event.as_wanted
    end = outcome.text or ("answered" if outcome.result == "answered" else "no answer")
    return joined(("Packet: ", "strong"), sentence(outcome.probe), f": {end}", ", as it should be" if good and not event.wanted else "")


def _cause(explanation: Explanation) -> Iterator[Block]:
    if explanation.cause:
        yield Block(joined(("Likely cause: " if explanation.certainty == "likely" else "Cause: ", "strong"), ticked(explanation.cause)))
    elif not explanation.answered:
        yield Block(plain(UNKNOWN))
    if explanation.place:
        yield Block(plain(place_words(explanation.place).capitalize() + "."))
