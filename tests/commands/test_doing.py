"""What each command does at a desk and on a stage: asked of a lab that answers as a real one did, and noted by a stage that nobody sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from app import story
from app.helpers import Answer, says
from app.recordings import recorded
from app.test_drill import OVER, broken, drills, opening
from commands.stages import NotedStage, NotedWindows, seated
from netless.commands.doing import DO
from netless.commands.terminals import as_typed
from netless.desk.desk import Desk
from netless.desk.shells import Shell
from netless.say.counted import score
from netless_lab import protocol
from netless_lab.course.verdict import Verdict
from netless_lab.primitives.base import Dialect
from netless_lab.protocol import Commands

GOING, COMING = ("the bridge mine",), ("veth1 is in c1",)
HERE = "container/cable/plug"
TAUGHT = "container/internet/forwarding"


def told(desk: Desk) -> list[str]:
    """What was told in passing."""
    return [saying.text for saying in desk.view.sayings]


def unless_forced(request: protocol.Request[Any]) -> Sequence[protocol.Message]:
    """A lab that wants a yes to it."""
    if request.force:  # type: ignore[attr-defined]
        return [request.done(protocol.Moved(HERE, "Plug", "It is done."))]
    return [protocol.Failed(request.id, 1, "More would go.", going=GOING, coming=COMING)]


def busy_meanwhile(desk: Desk) -> None:
    """Somebody else's reset runs from now on."""
    desk.take(protocol.StatusEvent(story.status(busy="Resetting")))


@pytest.mark.parametrize(
    ("name", "did"),
    [
        ("pane.lesson", ("pane", "lesson")), ("pane.network", ("pane", "network")), ("pane.packets", ("log", "packets")),
        ("pane.changes", ("log", "changes")), ("pane.next", ("next pane", 1)), ("pane.before", ("next pane", -1)), ("pane.back", ("back",)),
        ("zoom", ("zoom",)), ("theme", ("theme",)), ("commands", ("find",)), ("quit", ("leave",)), ("pane.terminal", ("terminal", "host")),
    ],
)  # fmt: skip
async def test_moving_about_asks_nothing_of_the_lab(name: str, did: tuple[object, ...]) -> None:
    """Each does one thing on the stage, and says nothing."""
    async with seated() as (desk, peer):
        stage = NotedStage()
        await DO[name](desk, stage)
        assert stage.did == [did] and peer.kinds() == [] and told(desk) == []


async def test_no_way_back_is_said() -> None:
    """Who is where he began hears so."""
    async with seated() as (desk, _):
        await DO["pane.back"](desk, NotedStage(began=True))
        assert told(desk) == ["There is no pane to go back to: you are in the one you began in."]


@pytest.mark.parametrize(("name", "kind"), [("run", "Run"), ("check", "Check"), ("hint", "Hint")])
async def test_what_the_lab_does_is_asked_once(name: str, kind: str) -> None:
    """One request, and the lab is free again."""
    async with seated() as (desk, peer):
        await DO[name](desk, NotedStage())
        assert peer.kinds() == [kind] and not desk.view.busy


async def test_a_check_that_finds_all_as_it_was_says_so() -> None:
    """Nothing on the screen would show that it was checked; what is another than it was shows itself."""
    before, held = story.PENDING, story.PASSED

    def finds(verdict: Verdict) -> Answer:
        return lambda request: [protocol.VerdictEvent(verdict), request.done(protocol.Judgement((), ""))]

    async def heard(first: Verdict, then: Verdict) -> list[str]:
        async with seated(answers={protocol.Check: finds(then)}) as (desk, _):
            desk.take(protocol.VerdictEvent(first))
            await DO["check"](desk, NotedStage())
            return told(desk)

    assert await heard(before, before) == [f"Checked: still {score(before)} conditions hold."]
    assert await heard(held, held) == ["Checked: the step still holds."]
    assert await heard(before, held) == await heard(held, before) == []


@pytest.mark.parametrize(("name", "kind"), [("back", protocol.Back), ("play", protocol.Play)])
@pytest.mark.parametrize("agreed", [True, False])
async def test_what_takes_more_with_it_is_done_only_after_a_yes(name: str, kind: type[protocol.Request[Any]], agreed: bool) -> None:
    """The window lists what goes and comes; only a yes asks again, by force. Leaving play mode asks as going back does."""
    playing = [protocol.StatusEvent(story.status(playing=name == "play"))]
    async with seated([*story.opening(), *playing], {kind: unless_forced}) as (desk, peer):
        stage = NotedStage(NotedWindows({"agrees": agreed}))
        await DO[name](desk, stage)
        ((window, _, why, clearing),) = stage.noted.opened
        assert (window, why, clearing.going, clearing.coming) == ("agrees", "More would go.", GOING, COMING)  # type: ignore[attr-defined]
        assert [request.force for request in peer.asked if isinstance(request, kind)] == ([False, True] if agreed else [False])  # type: ignore[attr-defined]
        assert ("It is done." in told(desk)) == agreed


@pytest.mark.parametrize("agreed", [True, False])
async def test_a_drill_that_takes_something_away_begins_only_after_a_yes(agreed: bool) -> None:
    """The same window lists what goes; only a yes asks again, by force, for the same fault."""
    wanted = protocol.Break(seed=7, drill=True)

    def unless_agreed(request: protocol.Request[Any]) -> Sequence[protocol.Message]:
        if not request.force:  # type: ignore[attr-defined]
            return unless_forced(request)
        return [request.done(protocol.Broke("c1 is cut off.", HERE, protocol.FaultStatus("c1 is cut off.", True, False, False)))]

    async with seated(answers={protocol.Break: unless_agreed}) as (desk, peer):
        stage = NotedStage(NotedWindows({"fault": wanted, "agrees": agreed}))
        await DO["drill"](desk, stage)
        assert [window[0] for window in stage.noted.opened] == ["fault", "agrees"]
        asked = [(request.seed, request.force) for request in peer.asked if isinstance(request, protocol.Break)]
        assert asked == ([(7, False), (7, True)] if agreed else [(7, False)]) and not desk.view.busy


@pytest.mark.parametrize("playing", [True, False])
@pytest.mark.parametrize(("name", "kind", "reply"), [
    ("next", protocol.Next, protocol.Moved(HERE, "Plug", "Play mode is over.")), ("run", protocol.Run, protocol.Judgement((), "Play mode is over.")),
])  # fmt: skip
async def test_play_mode_does_not_end_without_a_word(name: str, kind: type[protocol.Request[Any]], reply: object, playing: bool) -> None:
    """Whoever ends it by going on is told what became of the lab; otherwise the new page says enough."""
    async with seated([*story.opening(), protocol.StatusEvent(story.status(playing=playing))], {kind: says(reply)}) as (desk, _):
        await DO[name](desk, NotedStage())
        assert told(desk) == (["Play mode is over."] if playing else [])


@pytest.mark.parametrize(("ran", "words"), [
    ((HERE, "Plug"), []),
    (("container/cable/up", "Bring it up"), ["“Plug one end into the container” holds already, so Run went on to “Bring it up”."]),
], ids=["this step", "the next"])  # fmt: skip
async def test_the_next_step_is_not_done_without_a_word(ran: tuple[str, str], words: list[str]) -> None:
    """Who lets a step be done that holds gets the next one done, on another page: which one it was is told."""
    judged = protocol.Judgement((protocol.Judged(*ran, story.PASSED, ""),), "")
    async with seated(answers={protocol.Run: says(judged)}) as (desk, _):
        await DO["run"](desk, NotedStage())
        assert told(desk) == words


@pytest.mark.parametrize("dialect", ["ip", "pyroute2"])
@pytest.mark.parametrize(("lines", "now", "words"), [
    (("start c2", "ip netns attach c2 $PID_c2", "ip -n c2 addr"), ("start c2",), "2 lines were left out: they need `$PID_c2`, which does not run yet."),
    (("start c2", "ip netns attach c2 $PID_c2"), ("start c2",), "1 line was left out: it needs `$PID_c2`, which does not run yet."),
    (("ip netns attach c2 $PID_c2",), (), "1 line was left out: it needs `$PID_c2`, which does not run yet."),
    (("start c2", "ip netns attach c2 4711"), ("start c2", "ip netns attach c2 4711"), ""),
], ids=["the first", "all but one", "none", "all"])  # fmt: skip
async def test_what_needs_a_process_that_does_not_run_yet_is_left_out_and_told(lines: tuple[str, ...], now: tuple[str, ...], words: str, dialect: Dialect) -> None:
    """Neither typed nor copied is what would not work in any shell; that it was left out is said, also where nothing else is left."""
    page = replace(story.page(), commands=(Commands(dialect, lines),))
    async with seated([*story.opening(), protocol.StatusEvent(replace(story.status(dialect=dialect), page=page))]) as (desk, _):
        stage = NotedStage()
        await DO["copy"](desk, stage)
        assert stage.did == [("copy", "\n".join(now))] * bool(now) and told(desk) == [words] * bool(words)
        await DO["type"](desk, stage)
        assert stage.did[bool(now) :] == [("terminal", "host"), *[("typed", "host", as_typed(now, dialect))] * bool(now)]
        assert told(desk) == [words] * 2 * bool(words)


async def test_a_yes_that_came_too_late_is_told() -> None:
    """Somebody else keeps the lab busy by the time of the yes: nothing is forced."""
    async with seated(answers={protocol.Back: unless_forced}) as (desk, peer):
        await DO["back"](desk, NotedStage(NotedWindows({"agrees": True}, lambda: busy_meanwhile(desk))))
        assert peer.kinds() == ["Back"]
        assert told(desk) == ["Not done. The lab is busy: Resetting. Choose it again when it is possible."]


@pytest.mark.parametrize(
    ("name", "window", "given", "chosen", "asked"),
    [
        ("goto", "step", (HERE,), ("container/switch/bridge", True), protocol.Goto("container/switch/bridge", True)),
        ("courses", "course", (), ("container/netless/name", False), protocol.Goto("container/netless/name", False)),
        ("reset", "scope", (), "lesson", protocol.Reset("lesson")),
        ("packets.bytes", "hop", ("",), (7, 3), protocol.GetPacket(7, 3)),
    ],
)  # fmt: skip
async def test_what_is_chosen_is_asked_for(name: str, window: str, given: tuple[object, ...], chosen: object, asked: protocol.Request[Any]) -> None:
    """A choice is one request; nothing chosen is none; a choice while the lab became busy is told, where it would change the lab."""
    async with seated() as (desk, peer):
        stage = NotedStage(NotedWindows())
        await DO[name](desk, stage)
        assert stage.noted.opened == [(window, *given)] and peer.kinds() == []
        await DO[name](desk, NotedStage(NotedWindows({window: chosen})))
        (request,) = (own for own in peer.asked if type(own) is type(asked))
        assert all(getattr(request, field) == getattr(asked, field) for field in asked.__struct_fields__ if field not in ("id", "seen"))
    async with seated() as (desk, peer):
        await DO[name](desk, NotedStage(NotedWindows({window: chosen}, lambda: busy_meanwhile(desk))))
        assert (peer.kinds() == []) == (name != "packets.bytes")


async def test_after_a_drill_the_list_of_steps_begins_at_what_it_teaches() -> None:
    """And in the lesson at the step one is in."""
    async with seated(opening(OVER), drills()) as (desk, _):
        stage = NotedStage()
        await DO["goto"](desk, stage)
        assert stage.noted.opened == [("step", TAUGHT)]


@pytest.mark.parametrize("prompt", [True, False])
async def test_the_commands_are_put_at_a_prompt(prompt: bool) -> None:
    """In the terminal of the step's node; where no prompt comes that is told."""
    async with seated() as (desk, peer):
        stage = NotedStage(prompt=prompt)
        await DO["type"](desk, stage)
        typed = as_typed(desk.view.commands, desk.view.dialect)
        assert typed and stage.did == [("terminal", "host"), ("typed", "host", typed)]
        assert bool(told(desk)) is not prompt and peer.kinds() == []


async def test_the_commands_are_copied_and_the_dialect_turned() -> None:
    """All lines of the step; the next dialect after the one that is shown."""
    async with seated() as (desk, peer):
        stage = NotedStage()
        await DO["copy"](desk, stage)
        assert stage.did == [("copy", "\n".join(desk.view.commands))]
        await DO["dialect"](desk, stage)
        assert [own.dialect for own in peer.asked if isinstance(own, protocol.SetDialect)] == ["legacy"]


@pytest.mark.parametrize(("moment", "after"), [("plug-ip", "legacy"), ("plug-legacy", "pyroute2"), ("port-up-pyroute2", "ip")])
async def test_every_dialect_comes_in_turn(moment: str, after: Dialect) -> None:
    """Also where the lab tells the one that is shown first: pressed again and again the key leads round all three."""
    async with seated([*story.opening(), protocol.StatusEvent(recorded(moment).status)]) as (desk, peer):
        await DO["dialect"](desk, NotedStage())
        assert [own.dialect for own in peer.asked if isinstance(own, protocol.SetDialect)] == [after]


@pytest.mark.parametrize("learn", ["", TAUGHT])
async def test_why_shows_the_cause_and_then_the_packet_or_the_step(learn: str) -> None:
    """The lab's explanation is shown; closing it lets the packet move, a step that is chosen there opens the list at it."""
    async with seated(answers={protocol.Explain: recorded("plug-why").answer}) as (desk, _):
        stage = NotedStage(NotedWindows({"cause": learn or None}))
        await DO["why"](desk, stage)
        explanation = recorded("plug-why").value
        assert stage.noted.opened[0] == ("cause", explanation)
        assert stage.noted.opened[1:] == ([("step", TAUGHT)] if learn else [])
        assert stage.did == ([] if learn else [("replay", explanation.journey)])


async def test_a_cause_that_comes_late_is_told_in_passing() -> None:
    """No window opens over another one."""
    async with seated(answers={protocol.Explain: recorded("plug-why").answer}) as (desk, _):
        stage = NotedStage(in_sight=False)
        await DO["why"](desk, stage)
        assert stage.noted.opened == [] and recorded("plug-why").value.seen in told(desk)[-1]


async def test_packets_are_followed_and_sought() -> None:
    """Following asks the lab, and asks it to stop the next time; words narrow the log on the stage alone."""
    def follows(request: protocol.Request[Any]) -> Sequence[protocol.Message]:
        assert isinstance(request, protocol.Follow)
        on = bool(request.on)
        status = msgspec.structs.replace(story.status(), following=on)
        return [protocol.StatusEvent(status), request.done(protocol.FollowStatus(on, ("c9",)))]

    answers: dict[type[protocol.Request[Any]], Answer] = {protocol.Follow: follows}
    async with seated(answers=answers) as (desk, peer):
        stage = NotedStage(NotedWindows({"words": "arp"}))
        await DO["packets.follow"](desk, stage)
        await DO["packets.follow"](desk, stage)
        assert [own.on for own in peer.asked if isinstance(own, protocol.Follow)] == [True, False] and "c9" in told(desk)
        await DO["packets.seek"](desk, stage)
        assert stage.sought == "arp" and stage.noted.opened == [("words", "")]


async def test_a_drill_is_begun_given_up_and_put_away() -> None:
    """What is chosen is broken and looked at; giving up asks; what is well again is put away at once, back to where one was."""
    chosen = protocol.Break("forwarding-off", drill=True)
    async with seated(answers=drills()) as (desk, peer):
        await DO["drill"](desk, NotedStage(NotedWindows({"fault": chosen})))
        assert peer.kinds() == ["Break", "Check"]
    for yes in (True, False):
        async with seated(opening(broken()), drills("It was forwarding.", came_from=HERE)) as (desk, peer):
            stage = NotedStage(NotedWindows({"give up": yes}))
            await DO["mend"](desk, stage)
            assert stage.noted.opened == [("give up",), *([("fault told", "It was forwarding.", TAUGHT)] if yes else [])]
            assert peer.kinds() == (["Mend", "Goto"] if yes else [])
    async with seated(opening(OVER), drills(came_from=HERE)) as (desk, peer):
        stage = NotedStage()
        await DO["mend"](desk, stage)
        assert stage.noted.opened == [] and peer.kinds() == ["Mend", "Goto"]


async def test_the_session_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the lab tells it, into new files where one is; and where they are is told."""
    monkeypatch.chdir(tmp_path)
    account = protocol.Account((), "#!/bin/sh\nip link\n", "# Notes\n")
    async with seated(answers={protocol.GetHistory: says(account)}) as (desk, _):
        await DO["export"](desk, NotedStage())
        files = {path.suffix: path.read_text() for path in tmp_path.iterdir()}
        assert files == {".sh": account.script, ".md": account.markdown}
        assert all(path.name in told(desk)[-1] for path in tmp_path.iterdir())


async def test_help_is_of_the_place_that_has_the_focus() -> None:
    """The stage says which."""
    async with seated() as (desk, _):
        stage = NotedStage()
        await DO["help"](desk, stage)
        assert stage.noted.opened == [("help", "network")]


async def test_shells_that_are_elsewhere_are_chosen_from() -> None:
    """Only those that are chosen are taken over; where there are none, or where none can be had, that is told, and no window opens."""
    async with seated() as (desk, _):
        for chosen, had in (((2,), [2]), (None, []), ((1, 2, 9), [1, 2])):
            stage = NotedStage(NotedWindows({"shells": chosen}))
            stage.others.there = (Shell(1, "host"), Shell(2, "c1"))
            await DO["shells"](desk, stage)
            assert stage.noted.opened == [("shells", stage.others.there)]
            assert [shell.number for shell in stage.others.had] == had
        stage = NotedStage()
        await DO["shells"](desk, stage)
        assert "no shells to take over" in told(desk)[-1] and not stage.noted.opened
        stage.others.forbidden, stage.others.there = "Not here.", (Shell(1, "host"),)
        await DO["shells"](desk, stage)
        assert told(desk)[-1] == "Not here." and not stage.noted.opened
