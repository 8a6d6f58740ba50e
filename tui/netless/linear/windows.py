"""What the screen opens a window for: here it is written down, and asked with a line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from netless_lab import protocol
from netless_lab.model.clearing import Clearing
from netless_lab.model.journey import Explanation

from ..commands.seeds import drawn
from ..commands.stage import Target, WayOut, Where
from ..commands.table import BY_ID
from ..desk.desk import Desk
from ..desk.shells import Running, Shell
from ..desk.view import first_open, known_courses, step_called
from ..say import spoken
from ..say.drill import GIVING_UP, told
from ..say.faults import ANY, EXAM, faults_of
from ..say.hops import hops_of, layers
from ..say.leaving import parting
from ..say.narration import packet
from ..say.rebuild import SCOPES, consenting, what_goes
from ..say.text import BLANK, EMPTY, Block, Row, joined, plain, ticked
from ..say.why import why
from .paper import Paper
from .words import HERE, OWN, WORDS, Said, read

LATELY: Final = 20
"""So many changes, or packets, are told of at most."""
_YES: Final = ("y", "yes")


class Windows:
    """``ask`` gives an answer, "" for none; ``quit`` is done when one is the word that quits. What stood behind a word answers its first question:
    ``prepare``.
    """

    def __init__(self, desk: Desk, paper: Paper, ask: Callable[[str], Awaitable[str]], quit: Callable[[], Awaitable[None]]) -> None:
        self._desk, self._paper, self._ask_for, self._quit = desk, paper, ask, quit
        self._prepared = ""

    def prepare(self, answer: str) -> None:
        """The answer to the first question of what is done next."""
        self._prepared = answer

    async def _answer(self, question: str) -> str:
        answer, self._prepared = self._prepared, ""
        return answer or await self._heard(question)

    async def _heard(self, question: str) -> str:
        """What is typed now; the word that quits is no answer, and does what it does at a prompt."""
        answer = (await self._ask_for(question)).strip()
        if read(answer, ()) == Said("quit"):
            await self._quit()
            return ""
        return answer

    async def _agreed(self, question: str) -> bool:
        self._prepared = ""
        return (await self._heard(f"{question} y or n: ")).lower() in _YES

    async def _chosen(self, rows: Sequence[Row], question: str) -> str:
        """The value of a row by its number; what is no number is the answer itself."""
        choices = [row.value for row in rows if row.value]
        if not self._prepared:
            number = 0
            for row in rows:
                number += bool(row.value)
                before = (plain(f"{number}: ") if row.value else BLANK) + row.first
                self._paper.write((Block(row.content + row.note, before),))
        first, _, rest = (await self._answer(question)).partition(" ")
        if first.lstrip("0") in (numbers := [str(at) for at in range(1, len(choices) + 1)]):
            first = choices[numbers.index(first.lstrip("0"))]
        return f"{first} {rest}".strip()

    async def choose_step(self, at: str) -> Target | None:
        """A number, or a step as a command line takes it; ``end`` behind it is its end."""
        view = self._desk.view
        rows = spoken.steps(known_courses(view), view.status.position if view.status else "")
        chosen = await self._chosen(rows, "Which step? Its number, or Enter to stay: ")
        target, _, end = chosen.partition(" ")
        return (target, end == "end") if target else None

    async def choose_course(self) -> Target | None:
        """A number, or a lesson as a command line takes it."""
        view = self._desk.view
        here = view.status.position.rpartition("/")[0] if view.status else ""
        chosen = await self._chosen(spoken.lessons(known_courses(view), here), "Which lesson? Its number, or Enter to stay: ")
        return (first_open(view, chosen), False) if chosen and chosen != here else None

    async def choose_scope(self) -> protocol.Scope | None:
        """``step``, ``lesson`` or ``lab``; then what goes is told and asked for."""
        if not self._prepared:
            self._paper.write(Block(plain(f"{scope}: {what}")) for scope, what in SCOPES.items())
        answer = (await self._answer("How much? step, lesson, lab, or Enter to keep all: ")).lower()
        scope = next((own for own in SCOPES if own == answer), None)
        if scope is None:
            self._paper.say("Nothing was reset.")
            return None
        clearing = await self._desk.ask(protocol.WhatGoes(scope))
        if clearing is None:
            return None
        self._paper.write(what_goes(clearing))
        return scope if clearing and await self._agreed("Reset?") else None

    async def choose_fault(self) -> protocol.Break | None:
        """Anything in secret, an exam, or one by its number or name."""
        faults = await self._desk.ask(protocol.GetFaults())
        seed = drawn()
        every = faults_of(faults or (), seed, "")
        secret = [row for row in every if row.value in (ANY, EXAM)]
        chosen = await self._chosen(secret, "What? Its number, `list` for every fault by its title, which tells what is wrong, or Enter to leave it whole: ")
        if chosen == "list":
            chosen = await self._chosen(every, "What? Its number, or Enter to leave it whole: ")
        if chosen in (ANY, EXAM, "exam", "any"):
            return protocol.Break(seed=seed, drill=True, exam=chosen in (EXAM, "exam"))
        return protocol.Break(chosen, drill=True) if chosen else None

    async def choose_hop(self, sought: str) -> tuple[int, int] | None:
        """One of the packets that are kept, by its number."""
        kept = {str(event.journey.id): event for event in self._desk.view.packets[-LATELY:] if event.journey is not None and event.journey.id}
        ways = {number: rows for number, event in kept.items() if (rows := hops_of(filter(None, (event.journey,)), sought))[-1].value}
        if not ways:
            self._paper.write(Block(row.content) for row in hops_of((), sought))
            return None
        packets = [Row(packet(kept[number])[0].content, number) for number in ways]
        number = await self._chosen(packets, "Which packet? Its number, or Enter for none: ")
        if number not in ways:
            return None
        chosen = await self._chosen(ways[number], "Where on its way? Its number, or Enter for none: ")
        if chosen not in [row.value for row in ways[number] if row.value]:
            return None
        journey, _, hop = chosen.partition(":")
        return int(journey), int(hop)

    async def choose_words(self, sought: str) -> str | None:
        """Words, or none."""
        words = self._prepared or (await self._ask_for("Only packets with these words, or Enter for all: ")).strip()
        self._prepared = ""
        self._paper.say(f"`packets` and `bytes` tell only those with {words}." if words else "`packets` and `bytes` tell all packets.")
        return words

    async def agrees(self, title: str, why: str, clearing: Clearing) -> bool:
        """Whether more may go than what was asked for."""
        self._paper.write(consenting(why, clearing))
        return await self._agreed(f"{title}?")

    async def choose_way_out(self, found: protocol.Parting | None, running: Sequence[Running]) -> WayOut | None:
        """What becomes of the lab. The end of the input, here, keeps it: who cannot answer loses nothing."""
        self._prepared = ""
        self._paper.write(parting(found, running=running))
        answer = (await self._ask_for("y ends the lab, k quits and keeps it, Enter stays: ")).strip().lower()
        return "end" if answer in _YES else "keep" if answer in ("k", "keep") else None

    async def agrees_to_give_up(self) -> bool:
        """Whether to give up."""
        self._paper.write(GIVING_UP)
        return await self._agreed("Give up?")

    async def show_cause(self, explanation: Explanation) -> str | None:
        """Why a packet died, and how to get to the step that teaches it."""
        lesson = step_called(self._desk.view, explanation.lesson) if explanation.lesson else ""
        self._paper.write(why(explanation, lesson, fix_shown=True))
        self._show_the_way(explanation.lesson)
        return None

    async def show_fault(self, text: str, used: str, teaches: str) -> str | None:
        """What was broken."""
        self._paper.write(told(text, used, teaches, step_called(self._desk.view, teaches)))
        self._show_the_way(teaches)
        return None

    async def choose_shells(self, shells: Sequence[Shell]) -> None:
        """There are none here."""

    def _show_the_way(self, target: str) -> None:
        if target:
            self._paper.say(f"`go {target}` goes there.")

    async def show_packet(self, packet: protocol.Packet) -> None:
        """Layer by layer."""
        self._paper.write(layers(packet, self._paper.width))

    async def show_help(self, where: Where) -> None:
        """Every word, and that all else is a line for the shell."""
        self._prepared = ""
        lines = {**{word: BY_ID[command].help for word, command in WORDS.items()}, **HERE, **OWN}
        self._paper.write((
            Block(plain("A line that begins with one of these words does what it says:")),
            *(Block(ticked(what), first=joined((f"{word}: ", "strong")), rest=plain("  ")) for word, what in lines.items()),
            EMPTY,
            Block(ticked("Any other line is run by the shell of a node, which the prompt names; so is one behind `!`. ctrl+c stops it, ctrl+d at the prompt quits.")),
        ))  # fmt: skip
