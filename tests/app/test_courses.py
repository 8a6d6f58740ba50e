"""Several courses on the screen: the picker, the list of steps to go to, and the title say which there are and which one is here."""

from __future__ import annotations

from typing import Any

import msgspec

from app import story
from app.driving import opened, screen, until
from app.helpers import Answer, says
from netless.app.screens.help import HelpScreen
from netless.app.screens.places import GotoScreen, PickerScreen
from netless_lab import protocol


async def test_several_courses_and_nothing_begun_opens_the_picker() -> None:
    """A choice is offered when there is one; with a course begun the tutor opens where it was."""

    def both(begun: int) -> dict[type[protocol.Request[Any]], Answer]:
        other = msgspec.structs.replace(story.course(0), id="overlay", title="Two hosts")
        return {protocol.GetCourses: says((story.course(begun), other))}

    fresh: list[protocol.Message] = [protocol.StatusEvent(msgspec.structs.replace(story.status(done=0), chosen=False))]
    async with opened(opening=fresh, answers=both(0)) as (app, pilot, _peer):
        await until(pilot, lambda: isinstance(app.screen, PickerScreen))
        assert "Two hosts" in screen(app)
    chosen: list[protocol.Message] = [protocol.StatusEvent(msgspec.structs.replace(story.status(done=0), chosen=True))]
    async with opened(opening=chosen, answers=both(0)) as (app, pilot, _peer):
        await until(pilot, lambda: app.get_default_screen().looked)
        assert app.screen is app.get_default_screen(), "somebody asked for this course already"
    async with opened(answers=both(5)) as (app, pilot, _peer):
        await until(pilot, lambda: app.get_default_screen().looked)
        assert app.screen is app.get_default_screen()
    async with opened(opening=[], answers=both(0)) as (app, pilot, peer):
        await pilot.press("question_mark")
        peer.say(*fresh)
        await until(pilot, lambda: app.get_default_screen().looked)
        assert isinstance(app.screen, HelpScreen), "it opened over another screen"


def of_two_courses() -> dict[type[protocol.Request[Any]], Answer]:
    """What a lab answers that has another course beside the one it stands in, and one that cannot be used."""
    other = msgspec.structs.replace(story.course(0), id="overlay", title="Two hosts")
    torn = protocol.CourseView("/home/me/torn", "torn (cannot be used)", "", (), ("course.toml:1: this is not TOML.",))
    return {protocol.GetCourses: says((story.course(5), other, torn))}


async def test_goto_lists_every_course_and_says_which_one_is_here() -> None:
    """The steps of all courses that can be used, each course under its title; a step of another one is gone to by its whole name."""
    async with opened(answers=of_two_courses(), size=(120, 100)) as (app, pilot, peer):
        await until(pilot, lambda: len(app.view.courses) == 3)
        await pilot.press("g")
        assert isinstance(app.screen, GotoScreen)
        shown = [line for line in screen(app).splitlines() if "The container" in line or "Two hosts" in line]
        assert any("The container" in line and "you are here" in line for line in shown)
        assert any("Two hosts" in line and "you are here" not in line for line in shown)
        assert "cannot be used" not in screen(app)
        await pilot.press(*"overlay", "space", *"borrow", "enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        assert peer.asked[-1].target == "overlay/internet/masquerade"


async def test_a_lab_that_stands_in_another_course_is_not_rebuilt_unasked() -> None:
    """Whoever asks for a course and finds a lab that stands in another one gets the list of steps with that course's first step chosen."""
    async with opened(opening=[], answers=of_two_courses(), size=(120, 100), course="overlay") as (app, pilot, peer):
        peer.say(protocol.StatusEvent(story.status()))
        await until(pilot, lambda: isinstance(app.screen, GotoScreen))
        assert peer.kinds() == []
        await pilot.press("enter")
        await until(pilot, lambda: peer.kinds() == ["Goto"])
        first = story.course(0).lessons[0]
        assert peer.asked[-1].target == f"overlay/{first.id}/{first.steps[0].id}"


async def test_the_picker_names_a_course_that_cannot_be_used() -> None:
    """With why, and without steps to choose from."""
    async with opened(answers=of_two_courses(), size=(120, 60)) as (app, pilot, _peer):
        await until(pilot, lambda: len(app.view.courses) == 3)
        await pilot.press("C")
        assert isinstance(app.screen, PickerScreen)
        assert "torn (cannot be used)" in screen(app) and "this is not TOML" in screen(app)


async def test_the_title_says_which_course_one_is_in() -> None:
    """From the moment the lab stands in another one."""
    there = msgspec.structs.replace(story.status(), course=msgspec.structs.replace(story.course(0), id="overlay", title="Two hosts"))
    async with opened(answers=of_two_courses()) as (app, pilot, peer):
        await until(pilot, lambda: "The container" in screen(app).splitlines()[0])
        peer.say(protocol.StatusEvent(there))
        await until(pilot, lambda: "Two hosts" in screen(app).splitlines()[0])
