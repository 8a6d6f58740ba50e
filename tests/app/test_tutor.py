"""The main screen driven by keys and mouse: what it asks of the lab, and what it shows when the lab speaks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app import story
from app.driving import opened, quiet, rows, screen, typed_at_once, until
from app.recordings import recorded
from netless.app.screens.help import HelpScreen
from netless.app.screens.places import GotoScreen, PickerScreen
from netless.app.screens.rebuild import ConsentScreen
from netless.app.screens.tutor import TutorScreen
from netless.app.screens.why import WhyScreen
from netless.desk.view import forbids
from netless.say.check import check
from netless.say.text import Blocks
from netless_lab import protocol
from netless_lab.course.verdict import Item, Verdict


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("r", protocol.Run), ("c", protocol.Check), ("b", protocol.Back), ("h", protocol.Hint), ("p", protocol.Play),
        ("d", protocol.SetDialect),
    ],
)  # fmt: skip
async def test_each_key_asks_once(key: str, kind: type[protocol.Request[Any]]) -> None:
    """A key sends its request, once."""
    async with opened() as (app, pilot, peer):
        await pilot.press(key)
        await until(pilot, lambda: bool(peer.kinds()) and not app.view.busy)
        assert peer.kinds() == [kind.__name__]


async def test_keys_pressed_meanwhile_are_dropped() -> None:
    """While a step runs, keys that act do nothing, now or later (F3): neither those of the same read nor those that come after."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.Run)
        typed_at_once(app, "r", "r", "b", "c", "g", "x", "p", "enter", "y")
        await until(pilot, lambda: peer.kinds() == ["Run"])
        await pilot.press("r", "b", "c", "g", "x", "p", "enter", "y")
        quiet(app)
        await until(pilot, lambda: "running the step" in rows(app)[0].lower())
        assert app.screen is app.get_default_screen()
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        assert peer.kinds() == ["Run"]


async def test_verdict_appears_with_reasons() -> None:
    """A failing claim shows expected, seen and one command to look with; a passing one only its tick."""
    async with opened() as (app, _pilot, _peer):
        text = screen(app)
        assert "✗ veth1 is in c1" in text
        assert "expected an interface veth1 in c1" in text
        assert "look     ip -n c1 -d link show" in text
        assert "✓ veth1 and veth2 are the two ends of one" in text
    async with opened(opening=story.opening("port-up-opening")) as (app, _pilot, _peer):
        assert "… 10.0.0.2 answers the host" in screen(app)


async def test_nothing_advances_by_itself() -> None:
    """When the step passes, the sentence and the key are shown, and the learner stays where they are (D11)."""
    async with opened() as (app, pilot, peer):
        peer.say(protocol.VerdictEvent(story.PASSED, completed=True), protocol.StatusEvent(story.status(verdict=story.PASSED, forbidden={})))
        await until(pilot, lambda: app.view.passed == "plug" and not forbids(app.view, "next"))
        text = screen(app)
        assert "One end in c1, one on the host." in text
        assert "n Next step" in text
        assert peer.kinds() == []
        await pilot.press("n")
        await until(pilot, lambda: peer.kinds() == ["Next"])


async def test_next_never_takes_anything_away() -> None:
    """Where the lab would have to be rebuilt for it, the key says so and lists what would go; Enter keeps it, and the screen stays where it is."""
    refusal = recorded("plug-next-refused")
    assert isinstance(refusal.reply, protocol.Failed) and refusal.reply.going
    async with opened(answers={protocol.Next: refusal.answer}) as (app, pilot, peer):
        peer.say(protocol.StatusEvent(story.status(verdict=story.PASSED, forbidden={})))
        await until(pilot, lambda: not forbids(app.view, "next"))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ConsentScreen))
        assert all(line in screen(app) for line in refusal.reply.going)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ConsentScreen))
        assert [request.force for request in peer.asked if isinstance(request, protocol.Next)] == [False]
        assert app.view.status is not None and app.view.status.position == "container/cable/plug"


async def test_a_change_elsewhere_is_seen_at_once() -> None:
    """What somebody did in another terminal moves picture and log, without a key."""
    async with opened() as (app, pilot, peer):
        assert "● veth2" not in screen(app)
        peer.say(
            protocol.SnapshotEvent(story.BUILT),
            protocol.ChangesEvent(story.NOON + 99, "learner", (protocol.ChangeLine("veth2 is a port of br0 now", "host"),)),
        )
        await until(pilot, lambda: app.view.snapshot == story.BUILT)
        assert "● veth2" in screen(app)
        assert "you     veth2 is a port of br0 now" in screen(app)


async def test_earned_tick_stays_when_the_network_breaks() -> None:
    """A step whose result was taken away keeps its tick and says that it no longer holds (C12)."""
    async with opened((120, 60), opening=[protocol.StatusEvent(story.status(broken="cable/pair"))]) as (app, _pilot, _peer):
        assert any("✓ Make the cable  no longer so" in row for row in rows(app))


async def test_dialect_changes_the_commands() -> None:
    """The tab of another dialect can be clicked; the commands follow the status."""
    async with opened((120, 60)) as (app, pilot, peer):
        y, row = next((y, row) for y, row in enumerate(rows(app)) if " pyroute2 " in row)
        await pilot.click(offset=(row.index("pyroute2") + 1, y))
        await until(pilot, lambda: peer.kinds() == ["SetDialect"])
        assert peer.asked[-1].dialect == "pyroute2"
        assert 'net_ns_fd="c1"' not in screen(app)
        peer.say(protocol.StatusEvent(story.status(dialect="pyroute2")))
        await until(pilot, lambda: app.view.dialect == "pyroute2")
        assert 'net_ns_fd="c1"' in screen(app)


async def test_the_commands_of_the_next_step_are_in_sight_with_it() -> None:
    """After a step with nothing to type the pane of the commands is there again, as high as they are; and gone again after them."""
    full = story.status()
    bare = msgspec.structs.replace(full, page=msgspec.structs.replace(full.page, commands=()))
    async with opened(opening=[protocol.StatusEvent(bare)]) as (app, pilot, peer):
        commands = app.query_one("#commands")
        assert not commands.display
        peer.say(protocol.StatusEvent(full))
        await until(pilot, lambda: commands.display and commands.size.height > 0)
        assert "ip link set veth1 netns c1" in screen(app)
        peer.say(protocol.StatusEvent(bare))
        await until(pilot, lambda: not commands.display)


async def test_an_event_lays_the_check_out_once_for_each_width() -> None:
    """The panes are placed by how high the check is, several times over; it is wrapped anew only when it says something else."""
    async with opened() as (app, pilot, peer):
        pane, widths = app.get_default_screen().check, list[int]()

        def counted(width: int) -> Blocks:
            widths.append(width)
            return check(app.view, width)

        pane.set_source(counted)
        widths.clear()
        peer.say(protocol.StatusEvent(story.status(playing=True)))
        await until(pilot, lambda: "Play mode" in screen(app))
        assert widths and len(widths) == len(set(widths))


async def test_clicking_a_command_copies_it() -> None:
    """The whole command goes to the clipboard, also when it is wrapped on the screen."""
    async with opened() as (app, pilot, _peer):
        y = next(y for y, row in enumerate(rows(app)) if "ip link set veth1 netns c1" in row)
        await pilot.click(offset=(6, y))
        await until(pilot, lambda: app.clipboard == "ip link set veth1 netns c1")


async def test_keybar_can_be_clicked() -> None:
    """Every key on the bar works by mouse."""
    async with opened() as (app, pilot, peer):
        bar = rows(app)[-1]
        await pilot.click(offset=(bar.index("Check"), 39))
        await until(pilot, lambda: peer.kinds() == ["Check"])


async def test_hints_open_one_by_one() -> None:
    """An opened hint is shown with its number, and scrolled into sight."""
    async with opened((80, 24)) as (app, pilot, peer):
        peer.say(protocol.StatusEvent(story.status(hints=1, verdict=story.PENDING)))
        await until(pilot, lambda: "hint 1/3" in screen(app))


async def test_refusal_is_said() -> None:
    """What the lab cannot do is told in its own words, with the names that were perhaps meant."""
    failed = {protocol.Back: lambda request: [protocol.Failed(request.id, 1, "there is nothing to undo", ("reset",))]}
    async with opened(answers=failed) as (app, pilot, _peer):  # type: ignore[arg-type]
        await pilot.press("b")
        await until(pilot, lambda: bool(app.view.sayings) and not app.view.busy)
        assert bool(app.view.sayings)
        assert app.view.sayings[-1].text.startswith("there is nothing to undo")
        await until(pilot, lambda: "there is nothing to undo" in screen(app))


async def test_back_lists_what_else_goes_and_asks() -> None:
    """Where more would go than what was done last, nothing goes until y; Enter keeps it all."""

    def answer(request: protocol.Back) -> list[protocol.Message]:
        moved = protocol.Moved("container/cable/plug", "Plug", "Undone: Plug.")
        return [request.done(moved) if request.force else protocol.Failed(request.id, 1, "more of yours would go", going=("mine is gone",))]

    async with opened(answers={protocol.Back: answer}) as (app, pilot, peer):  # type: ignore[dict-item]
        for last, forced in (("enter", [False]), ("y", [False, False, True])):
            await pilot.press("b")
            await until(pilot, lambda: isinstance(app.screen, ConsentScreen) and "mine is gone" in screen(app))
            assert "more of yours would go" in screen(app) and not app.view.busy
            await pilot.press(last)
            await until(pilot, lambda: not isinstance(app.screen, ConsentScreen) and not app.view.busy)
            assert [asked.force for asked in peer.asked if isinstance(asked, protocol.Back)] == forced
        await until(pilot, lambda: "Undone: Plug." in screen(app))


@pytest.mark.parametrize("keys", ["C down", "g"])
async def test_what_is_chosen_while_the_lab_is_busy_is_told(keys: str) -> None:
    """A lesson or a step that is chosen while somebody else keeps the lab busy is not opened, and the learner hears so."""
    async with opened() as (app, pilot, peer):
        await pilot.press(*keys.split())
        peer.say(protocol.StatusEvent(story.status(busy="Resetting")))
        await until(pilot, lambda: app.view.busy == "Resetting")
        await pilot.press("enter")
        await until(pilot, lambda: "Not done. The lab is busy: Resetting." in screen(app))
        assert peer.kinds() == []


@pytest.mark.parametrize(("last", "end"), [("enter", False), ("ctrl+e", True)])
async def test_goto_finds_and_goes(last: str, end: bool) -> None:
    """Typing narrows the list; Enter goes to the start of a step, ctrl+e to its end."""
    async with opened() as (app, pilot, peer):
        await pilot.press("g", *"borrow")
        assert isinstance(app.screen, GotoScreen)
        await pilot.press(last)
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        assert (peer.asked[-1].target, peer.asked[-1].end) == ("container/internet/masquerade", end)


async def test_goto_without_a_match_stays() -> None:
    """A search that finds nothing says so and goes nowhere."""
    async with opened() as (app, pilot, peer):
        await pilot.press("g", *"zzz", "enter")
        assert "Nothing matches." in screen(app)
        await pilot.press("escape")
        assert peer.kinds() == []


async def test_picker_goes_to_the_first_open_step() -> None:
    """Another lesson is opened at its first step not yet done; Esc comes back, and no key there ends the lab."""
    async with opened() as (app, pilot, peer):
        await pilot.press("C", "q", "escape")
        assert app.is_running and isinstance(app.screen, TutorScreen)
        await pilot.press("C")
        assert isinstance(app.screen, PickerScreen)
        assert "5 of 27 steps" in screen(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        assert peer.asked[-1].target == "container/switch/bridge"


async def test_why_explains_the_failed_probe() -> None:
    """w asks about the packet that the lab knows to be lost, and shows both sentences and the facts."""
    async with opened(answers={protocol.Explain: recorded("plug-why").answer}) as (app, pilot, peer):
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, WhyScreen))
        assert peer.asked[-1].probe is None
        text = screen(app)
        assert all(words in text for words in ("Nothing left c1", "certain", "c1 has no cable", "c1 has no interface but lo", "ip -n c1 link"))


async def test_help_shows_keys_and_marks() -> None:
    """Help lists the keys of this view and what the marks mean."""
    async with opened((120, 70)) as (app, pilot, _peer):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = screen(app)
        assert all(words in text for words in ("run: does the step", "up, but no carrier", "[fwd✗]", "the tick stays"))
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_resize_while_something_runs() -> None:
    """Resizing in the middle of a step changes nothing but the size."""
    async with opened() as (app, pilot, peer):
        gate = peer.hold(protocol.Run)
        await pilot.press("r")
        for size in ((80, 24), (20, 5), (681, 180), (100, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        gate.set()
        await until(pilot, lambda: not app.view.busy)
        assert peer.kinds() == ["Run"]
        assert "Plug one end" in screen(app)


async def test_text_of_the_lab_is_never_markup() -> None:
    """Names and sentences of a learner's own making are shown as they are, and clicking them runs nothing."""
    nasty = "[@click=app.leave]veth[/] [bold red]x[/]"
    async with opened() as (app, pilot, peer):
        peer.say(
            protocol.ChangesEvent(story.NOON + 99, "learner", (protocol.ChangeLine(nasty),)),
            protocol.Notice("warning", nasty),
        )
        await until(pilot, lambda: screen(app).count("[@click=app.leave]") >= 2)
        y = next(y for y, row in enumerate(rows(app)) if "[@click=app.leave]veth" in row)
        await pilot.click(offset=(rows(app)[y].index("[@click") + 20, y))
        await pilot.pause()
        assert app.is_running


async def test_log_follows_its_end_until_scrolled_back() -> None:
    """New changes stay in view; a reader who scrolled back is left in peace, and follows again at the end."""

    def flood(start: int) -> list[protocol.Message]:
        lines = [(n, protocol.ChangeLine(f"change number {n}")) for n in range(start, start + 60)]
        return [protocol.ChangesEvent(story.NOON + 100 + n, "learner", (line,)) for n, line in lines]

    async with opened() as (app, pilot, peer):
        peer.say(*flood(0))
        await until(pilot, lambda: "change number 59" in screen(app))
        await pilot.press("f5", "home")
        await until(pilot, lambda: "change number 59" not in screen(app))
        peer.say(*flood(60))
        await until(pilot, lambda: len(app.view.entries) == len(story.LOG) + 120)
        assert "change number 119" not in screen(app)
        await pilot.press("end")
        await until(pilot, lambda: "change number 119" in screen(app))
        peer.say(*flood(120))
        await until(pilot, lambda: "change number 179" in screen(app))


async def test_success_is_said_where_the_check_is_not_in_view() -> None:
    """Whoever works in another pane of a small screen hears that the step is done, and finds the new verdict when coming back."""
    async with opened((80, 24)) as (app, pilot, peer):
        await pilot.press("f5")
        peer.say(protocol.VerdictEvent(story.PASSED, completed=True))
        await until(pilot, lambda: "✓ One end in c1" in screen(app))
        await pilot.press("f1")
        await until(pilot, lambda: "Check ✓ done" in screen(app))
        assert "✗ veth1 is in c1" not in screen(app)


async def test_what_refuses_nobody_is_neither_ticked_nor_crossed() -> None:
    """Who is ahead reads so, by a mark and a sentence of their own; what could not be read says what decided; the page's sentence is not said."""
    items = (
        Item("unknown", "answers may pass", "state", "a rule", "not readable; the packets decided", "nft"),
        Item("ahead", "10.0.0.2 answers: ahead", "probe"),
        Item("pass", "10.0.0.2 answers c1", "probe"),
    )
    verdict = Verdict(story.PASSED.step, "pass", items)
    async with opened((120, 60)) as (app, pilot, peer):
        peer.say(protocol.VerdictEvent(verdict, completed=True))
        await until(pilot, lambda: "» 10.0.0.2 answers: ahead" in screen(app))
        shown = screen(app)
        assert "- answers may pass" in shown and "not readable; the packets decided" in shown and "✓ 10.0.0.2 answers c1" in shown
        assert "Done, and you are ahead" in shown and "One end in c1, one on the host" not in shown


async def test_a_click_on_a_step_asks_first() -> None:
    """Clicking a step in the list opens the list of steps at it; nothing is rebuilt by the click alone."""
    async with opened((120, 60)) as (app, pilot, peer):
        y = next(y for y, row in enumerate(rows(app)) if "· Give it an address" in row)
        await pilot.click(offset=(6, y))
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))
        assert peer.kinds() == []
        await pilot.press("enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        assert peer.asked[-1].target == "container/cable/address"
