"""What is asked with a line, and how one leaves from there."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

import pytest

from app import story
from netless.called import Called
from netless.desk.desk import Desk
from netless.linear.paper import Paper
from netless.linear.windows import Windows
from netless_lab import protocol

QUESTIONS: dict[str, Callable[[Windows], Awaitable[object]]] = {
    "step": lambda windows: windows.choose_step(""),
    "course": lambda windows: windows.choose_course(),
    "scope": lambda windows: windows.choose_scope(),
}


def nowhere() -> socket.socket:
    """No lab is asked anything."""
    raise AssertionError("no lab was to be asked")


@pytest.mark.parametrize("word", ["quit", "exit", " QUIT "])
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_the_word_that_quits_quits_at_a_question_too(question: Callable[[Windows], Awaitable[object]], word: str) -> None:
    """It is no answer: nothing is chosen, and the tutor is left as from a prompt. An answer leaves nothing."""
    desk = Desk("mine", nowhere)
    desk.take(protocol.StatusEvent(story.status()))
    answers, quits = [word, ""], []

    async def answer(_question: str) -> str:
        return answers.pop(0)

    async def quit() -> None:
        quits.append(True)

    windows = Windows(desk, Paper(Called()), answer, quit)
    assert await question(windows) is None and quits == [True]
    assert await question(windows) is None and quits == [True]


async def test_a_number_that_nobody_can_read_is_an_answer_like_any_other() -> None:
    """A script may say one with more digits than Python makes a number of: it is no number of the list, and no end of the tutor."""
    desk = Desk("mine", nowhere)
    desk.take(protocol.StatusEvent(story.status()))
    digits = "9" * 5000

    async def answer(_question: str) -> str:
        return digits

    async def quit() -> None:
        raise AssertionError("nobody quits")

    assert await Windows(desk, Paper(Called()), answer, quit).choose_step("") == (digits, False)
