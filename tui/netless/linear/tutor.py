"""The tutor line by line: it tells the step, takes a line, does it, and tells what came of it.

What happens meanwhile, by whomever, is told between two lines; while a command is done it waits until that is over. The lines of a node go to one
shell of it, which lasts.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from netless_lab import protocol

from ..called import called
from ..commands.doing import DO
from ..commands.leaving import way_out
from ..commands.table import BY_ID
from ..commands.time import arrive, go_back
from ..desk.desk import Connect, Desk
from ..desk.reduce import Event, Hinted
from ..desk.view import Identity, View, forbids, identity
from ..leaving import Crashed, Leaving, Overdue, Quit, Signalled
from ..say import spoken
from ..say.narration import MINE, USUAL, Line, Narrator
from ..say.passing import not_now
from ..say.shells import begins_again
from ..say.text import EMPTY, Block, plain, ticked
from .paper import Paper
from .shells import Shell
from .stage import Stage
from .typed import Given, Lines
from .words import OWN, WORDS, Said, Typed, read

T = TypeVar("T")
SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
PROMPT_S: Final = 0.2
"""After news the prompt is written again when there was no more for so many seconds."""


class Tutor:
    """One person at one lab, on paper. Made and used in the running loop."""

    def __init__(self, connect: Connect, lab: str, course: str, paper: Paper, began: Callable[[], bool]) -> None:
        own = called(lab, os.environ)
        self._course, self._began = course, began
        self._loop = asyncio.get_running_loop()
        self._paper = paper
        self._narrator = Narrator(MINE)
        self._news: list[Line] = []
        self._working = True
        self._leaving: asyncio.Future[Leaving] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._known = asyncio.Event()
        """Set from when it is known where the lab stands."""
        self._lines = Lines(0, self._leave)
        self._desk = Desk(lab, connect, called=own, heard=self._heard)
        self._stage = Stage(self._desk, self._paper, self._lines, self._asked, self._at_work, self._quit)
        self._node = ""
        self._talks: set[asyncio.Task[None]] = set()
        self._shells: dict[str, tuple[Shell, Identity | None]] = {}
        self._overdue = Overdue(lambda words: self._paper.pass_on(f"\n{words}\n"), lab, own)
        self._prompt_due: asyncio.TimerHandle | None = None
        self._told_ended = False
        self._typable: tuple[str, tuple[str, ...]] = "", ()
        """The commands that were told last, and of which step: what is left of them, or another dialect, is told anew."""

    async def teach(self) -> Leaving:
        """Until somebody leaves; returns how."""
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._leave, Signalled(number))
        self._loop.add_signal_handler(signal.SIGINT, self._interrupt)
        self._loop.add_signal_handler(signal.SIGWINCH, self._resized)
        self._lines.listen()
        self._begin()
        work = self._loop.create_task(self._converse())
        try:
            await asyncio.wait((work, self._leaving), return_when=asyncio.FIRST_COMPLETED)
            if work.done() and not self._leaving.done():
                work.result()
            return self._leaving.result()
        except OSError:  # as where nobody reads any more
            raise
        except Exception as error:
            from .. import crash  # what only a crash needs

            view, written = self._desk.view, crash.report(error, size=self._paper.size, before=self._desk.trail.lines())
            self._paper.write((Block(plain(crash.sentence(error, written, view.lab if view.joined else ""))),))
            return Crashed()
        finally:
            tasks = (work, *self._talks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for shell, _ in self._shells.values():
                await shell.stop()
            self._overdue.close()
            self._paper.leave()

    def _begin(self) -> None:
        """Converse with the lab. What fails in telling of it, as where nobody reads any more, ends the tutor."""

        def over(talk: asyncio.Task[None]) -> None:
            self._talks.discard(talk)
            if not talk.cancelled() and (error := talk.exception()) is not None and not self._leaving.done():
                self._leaving.set_exception(error)

        talk = self._loop.create_task(self._desk.converse())
        self._talks.add(talk)
        talk.add_done_callback(over)

    # -- what is typed ------------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        """Take line after line."""
        self._paper.say(spoken.WELCOME)
        await self._join()
        while not self._leaving.done():
            self._tell_news()
            self._working = False
            given = await self._given(self._prompt())
            self._working = True
            if isinstance(given, str):
                await self._do(given)
            elif isinstance(given, Quit):
                await self._quit()
            else:
                self._leave(given)

    async def _join(self) -> None:
        """Until it is known where the lab stands, or that it does not come."""
        await self._either(self._known.wait(), self._ended.wait())
        if self._desk.view.status is None:
            return
        self._news.clear()
        before = self._desk.view.status.position
        await arrive(self._desk, self._stage, self._course)
        if self._desk.view.status.position == before:
            self._stage.show_pane("lesson")

    async def _given(self, prompt: str) -> Given:
        """The next line, or that there is none more."""
        ahead = self._lines.ahead
        self._paper.ask(prompt)
        given = await self._lines.next()
        if isinstance(given, str):
            self._paper.typed(given if ahead or not self._lines.terminal else None)
        return given

    async def _asked(self, question: str) -> str:
        """An answer; the end of the input is none, and ends the tutor, but not the lab: nothing was said of that."""
        given = await self._given(question)
        if isinstance(given, str):
            return given
        self._leave(Quit(keep=True) if isinstance(given, Quit) else given)
        return ""

    def _prompt(self) -> str:
        if self._desk.view.ended:
            return "no lab> "
        node = self._here
        found = self._shells.get(node)
        return found[0].prompt if found is not None and found[0].running and found[0].prompt else f"{node}:~# "

    @property
    def _here(self) -> str:
        """The node in hand: the one chosen, else that of the step."""
        view = self._desk.view
        return self._node or (view.status.page.shell if view.status is not None else "host")

    async def _do(self, line: str) -> None:
        view = self._desk.view
        nodes = [node.name for node in view.status.nodes] if view.status is not None else []
        match read(line, nodes):
            case None:
                pass
            case Said("quit"):
                await self._stage.leave()
            case Said("again"):
                await self._again()
            case _ if view.ended:
                self._paper.say("The lab is gone. `again` builds it anew, `quit` ends.")
            case Said(word, rest) if word in OWN:
                await self._own(word, rest, nodes)
            case Said(word, rest):
                await self._command(WORDS[word], rest)
            case Typed(words, node):
                await self._run(words, node or self._here)

    async def _own(self, word: str, rest: str, nodes: list[str]) -> None:
        view = self._desk.view
        if word == "where":
            self._paper.say(spoken.place(view))
            self._paper.write(spoken.conditions(view.judged))
        elif word == "type":
            self._paper.write(spoken.commands(view) or (Block(ticked("This step has no commands.")),))
        elif word == "in":
            self._node = rest
            self._paper.say(f"Lines run in {self._here} now." if rest else f"Lines run in the node of the step again: {self._here}. The nodes are {', '.join(nodes)}.")
        elif word == "sh" and await self._stage.terminal(rest or self._here):
            await self._look()

    async def _command(self, name: str, rest: str) -> None:
        """A command of the table, as its key would do it."""
        command = BY_ID[name]
        if reason := command.forbids(self._desk.view):
            self._paper.say(not_now(reason))
            return
        self._stage.windows.prepare(rest)
        if name == "check":  # every condition is told below, also one that is as it was
            await self._desk.ask(protocol.Check(), saying="Checking")
        else:
            await DO[command.does](self._desk, self._stage)
        if name in ("play", "run", "next"):  # the answer says so, and what became of the lab
            self._news = [line for line in self._news if line.about != "played"]
        self._stage.windows.prepare("")
        verdict = self._desk.view.verdict
        if (verdict is None or verdict.result == "waiting") and not forbids(self._desk.view, "check"):
            await self._desk.ask(protocol.Check())  # where somebody has come to he is told at once what holds there
        if name == "packets.follow":
            self._paper.say("Your own packets are told as they pass." if self._desk.view.following else "Your own packets are told no more.")
        elif name == "check":
            self._news = [line for line in self._news if line.kind != "verdict" or line.about == "holds"]
            self._paper.write(spoken.conditions(self._desk.view.judged))

    # -- lines for a shell --------------------------------------------------------------------------------------------------

    async def _run(self, line: str, node: str) -> None:
        """A line in the shell of a node; then what it changed, and what of the step holds now."""
        shell = await self._shell(node)
        if shell is None:
            return
        before = self._desk.view.entries
        shell.begin(line)
        if not self._lines.terminal:  # of a script each line waits for the one before it
            await shell.ready.wait()
        while not shell.ready.is_set():
            given = await self._either(self._lines.next(), shell.ready.wait())
            if isinstance(given, str):
                self._paper.typed()
                shell.type(given)
            elif given is not None:
                shell.end_input()
        self._paper.leave()
        await self._look(before is not self._desk.view.entries)

    async def _look(self, changed: bool = False) -> None:
        """What was changed by hand is looked at and judged before anything else is asked."""
        before = self._desk.view.entries
        await self._desk.ask(protocol.GetSnapshot())
        if (changed or before is not self._desk.view.entries) and not forbids(self._desk.view, "check"):
            await self._desk.ask(protocol.Check())
            verdict = self._desk.view.verdict
            if verdict is not None and not verdict.passed and self._desk.view.fault is None:
                self._tell_news()
                self._paper.write(list(spoken.conditions(verdict))[:1])

    async def _shell(self, node: str) -> Shell | None:
        """The shell of a node as it is now, waiting for a line; None when nobody may go in."""
        now = identity(self._desk.view, node)
        found = self._shells.pop(node, None)
        if found is not None:
            if found[0].running and found[1] == now:
                self._shells[node] = found
                return found[0]
            await found[0].stop()
            self._paper.say(begins_again(node, anew=found[1] != now))
        if await self._desk.ask(protocol.Enter(node)) is None:
            return None
        shell = Shell(self._desk.view.lab, node, self._paper.size, self._paper.pass_on, self._drawn)
        self._shells[node] = shell, now
        await shell.ready.wait()
        return shell

    def _at_work(self) -> tuple[tuple[str, int], ...]:
        """The shells that run, each by its node and its process."""
        return tuple((node, shell.pid) for node, (shell, _) in self._shells.items() if shell.running)

    def _drawn(self, node: str) -> None:
        """A program draws on a whole screen: once in words, and not as lines."""
        self._paper.say(spoken.drawn(node))

    def _interrupt(self) -> None:
        """ctrl+c: for the program that runs; else it says how to quit."""
        running = [shell for shell, _ in self._shells.values() if not shell.ready.is_set()]
        for shell in running:
            shell.interrupt()
        if not running:
            self._paper.say("`quit` or ctrl+d ends the tutor.")
            if not self._working:
                self._paper.ask(self._prompt())

    def _resized(self) -> None:
        for shell, _ in self._shells.values():
            shell.resize(self._paper.size)

    # -- what happens -------------------------------------------------------------------------------------------------------

    def _heard(self, before: View, event: Event, after: View) -> None:
        lines = list(self._narrator.tell(before, event, after, time.time()))
        if isinstance(event, Hinted) and (after.status is None or after.hint not in after.status.page.hints_open):
            lines.append(Line(time.time(), "hint", "", ticked(f"{'Hint' if event.about is None else 'From what is seen'}: {after.hint}")))
        self._news += [line for line in lines if line.kind in (*USUAL, "end") or isinstance(event, protocol.JourneyEvent)]
        if after.status is not None and after.courses:
            self._known.set()
        if after.ended and not before.ended:
            self._ended.set()
        if not self._working and (self._news or before.commands != after.commands):
            self._tell_news()
            if self._prompt_due is not None:
                self._prompt_due.cancel()
            self._prompt_due = self._loop.call_later(PROMPT_S, self._prompt_again)

    def _prompt_again(self) -> None:
        if not self._working and not self._leaving.done() and not self._lines.ahead:
            self._paper.ask(self._prompt())

    def _tell_news(self) -> None:
        """What has happened; another step is told as its page, and a step that holds with how it goes on."""
        news, self._news = self._news, []
        for line in news:
            fault = self._desk.view.fault
            if line.about == "arrived" and fault is None:
                self._paper.write(spoken.step(self._desk.view, self._paper.width))
            elif line.about == "score":
                self._paper.write((EMPTY, *spoken.conditions(self._desk.view.verdict)))
            elif line.about != "arrived":
                self._paper.write((Block(line.text), *line.below))
            if line.about == "broken" and fault is not None and not fault.healthy:
                help = "" if fault.exam else " `why` and `hint` help,"
                self._paper.say(f"Look, and repair it however you like. `check` sends packets,{help} `mend` gives up.")
            if line.about == "holds" and fault is None:
                self._paper.write((spoken.onward(self._desk.view),))
        view = self._desk.view
        here = (view.status.position if view.status is not None else "", view.commands)
        if here[0] == self._typable[0] and here[1] != self._typable[1] and view.fault is None and not view.done:
            self._paper.write(spoken.commands(view))
        self._typable = here
        if self._desk.view.ended and not self._told_ended:
            self._told_ended = True
            self._paper.say("Your progress is kept. `again` builds the lab anew and brings you back to this step; `quit` ends.")

    async def _again(self) -> None:
        """The lab is gone: make it anew and go back to where one was."""
        view = self._desk.view
        if not view.ended:
            self._paper.say("The lab is there. `reset lab` builds it as it was at the beginning.")
            return
        self._ended.clear()
        self._known.clear()
        self._told_ended = False
        for shell, _ in self._shells.values():
            await shell.stop()
        self._shells.clear()
        self._narrator = Narrator(MINE)
        self._desk.begin_anew()
        if (place := self._desk.view.returning) is not None:
            self._paper.say(f"Rebuilding the lab, up to “{place.title}” …")
        self._begin()
        await self._either(self._known.wait(), self._ended.wait())
        if self._desk.view.returning is not None and self._desk.view.status is not None:
            await go_back(self._desk)
            self._news.clear()
            self._stage.show_pane("lesson")

    # -- leaving ------------------------------------------------------------------------------------------------------------

    async def _quit(self) -> None:
        """On purpose; what that would cost is asked first. A lab that never came leaves its exit code."""
        if (chosen := await way_out(self._desk, self._stage.windows.choose_way_out, self._began, self._stage.shells)) is not None:
            self._leave(Quit(self._desk.view.code if self._desk.view.status is None else 0, keep=chosen == "keep", agreed=chosen == "end"))

    def _leave(self, leaving: Leaving) -> None:
        """End it; the first reason counts."""
        if not self._leaving.done():
            self._overdue.asked(leaving)
            self._leaving.set_result(leaving)

    async def _either(self, one: Awaitable[T], other: Awaitable[object]) -> T | None:
        """What the first gives, or None when the other is done before."""
        first, second = asyncio.ensure_future(one), asyncio.ensure_future(other)
        try:
            await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
            return first.result() if first.done() else None
        finally:
            for task in (first, second):
                task.cancel()


async def teach(connect: Connect, lab: str, course: str, paper: Paper, began: Callable[[], bool]) -> Leaving:
    """The tutor, line by line, until somebody leaves; ``course`` is the one that was asked for, if any, ``began`` as for ``way_out``."""
    return await Tutor(connect, lab, course, paper, began).teach()
