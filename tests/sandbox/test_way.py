"""What an agent answers to one who enters: understood, or refused in words, whatever it is."""

from __future__ import annotations

import os
import socket

import pytest

from netless_lab.sandbox import way


def answered(text: bytes, files: int = 0) -> tuple[way.Way, list[int]]:
    """What is made of an answer with so many open files."""
    agent, caller = socket.socketpair()
    with agent, caller:
        handed = [os.open("/", os.O_PATH) for _ in range(files)]
        socket.send_fds(agent, [text], handed)
        for fd in handed:
            os.close(fd)
        agent.shutdown(socket.SHUT_WR)
        return way.receive(caller)


def test_an_answer_with_its_files() -> None:
    """Kinds, limit and entry come back as they were written, with one open file for each kind."""
    found, files = answered(way.answer(way.Way(("user", "net"), "c1", 7)), 2)
    assert (found.kinds, found.within, found.processes, len(files)) == (("user", "net"), "c1", 7, 2)
    for fd in files:
        os.close(fd)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n", b"way\n", b"way\0\n", b"way\0x\0\0user\n", b"way\0-1\0\0user\n", b"way\0" + b"9" * 5000 + b"\0\0user\n", b"way\0" + b"1" * 70_000,
        "way\0²\0\0user\n".encode(), b"\xff\0\0\0\n", b"nonsense\0\0\0user\n", b"way\x000\0\0user\0net\n",
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(text: bytes) -> None:
    """What is no answer of a lab's, of any length and with any number, is NotThere, which is told in words."""
    with pytest.raises(way.NotThere):
        answered(text, 1)


def test_a_refusal_is_told_in_the_labs_words() -> None:
    """A lab that hands nothing over says why."""
    with pytest.raises(way.NotThere, match="its process has ended"):
        answered(way.refusal("its process\nhas ended"))


def test_a_question_says_whether_who_asks_stays() -> None:
    """It is of the same node then; a further word is another version's."""
    assert [way.asked(way.request("c1", stay=stay)) for stay in (True, False)] == ["c1", "c1"]
    assert [way.stays(way.request("c1", stay=stay)) for stay in (True, False)] == [True, False]
    with pytest.raises(ValueError, match="another version"):
        way.asked(way.request("c1", stay=True)[:-1] + b"\0more\n")
