"""A lab that was started by another version of netless can be ended by this one, and by nobody else.

The other version is this one, copied and told another number; one that is older than the rule is a process that behaves as it did.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.checkout import CHECKOUT, environment
from helpers.desk import Desk, at_a_desk
from helpers.pretender import pretender
from helpers.waiting import eventually
from netless_lab import protocol
from netless_lab.address import socket_name
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A lab of this test's own."""
    with at_a_desk(tmp_path) as own:
        yield own


OLDER, NEWER = protocol.VERSION - 1, 4711


@pytest.fixture(params=[OLDER, NEWER], ids=["older", "newer"])
def version(request: pytest.FixtureRequest) -> int:
    """The other version."""
    number: int = request.param
    return number


@pytest.fixture
def other(desk: Desk, tmp_path: Path, version: int) -> Desk:
    """The same lab's name in the hands of another version of netless."""
    tree = tmp_path / "other"
    for room in ("tui", "lab", "lessons"):
        shutil.copytree(CHECKOUT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
    words = tree / "lab/netless_lab/protocol_version.py"
    ours = f"\nVERSION: Final = {protocol.VERSION}\n"
    assert ours in words.read_text()
    words.write_text(words.read_text().replace(ours, f"\nVERSION: Final = {version}\n"))
    foreign = Desk(tmp_path)
    foreign.lab = desk.lab
    foreign.environment = {**environment(tree), "XDG_STATE_HOME": desk.environment["XDG_STATE_HOME"]}
    return foreign


def test_down_ends_a_lab_of_another_version(desk: Desk, other: Desk, version: int) -> None:
    """All else is refused with words that say what to do; ``down`` does it."""
    assert other.netless("up").returncode == 0
    agent = other.agent()
    for words in (("status",), ("up",), ("exec", "host", "true"), ("run",)):
        refused = desk.netless(*words)
        assert refused.returncode == 2 and f"protocol {version}" in refused.stderr and "down`" in refused.stderr, refused
    assert Path(f"/proc/{agent}").exists()
    done = desk.netless("down", "--json")
    assert (done.returncode, json.loads(done.stdout)["ended"]) == (0, True)
    assert eventually(lambda: not Path(f"/proc/{agent}").exists())


def says(conversation: socket.socket, *lines: str) -> list[dict[str, object]]:
    """What the agent answers to these lines before it hangs up."""
    conversation.settimeout(20)
    conversation.sendall("".join(f"{line}\n" for line in lines).encode())
    with conversation.makefile("rb") as answers:
        return [json.loads(line) for line in answers]


def test_the_part_that_never_changes(desk: Desk) -> None:
    """Two bare lines from a client of any version end the lab, and nothing else that it asks for does anything."""
    assert desk.netless("up").returncode == 0
    with find.connect(desk.lab) as conversation:
        answers = says(
            conversation, '{"type":"hello","version":999999}', '{"type":"reset","id":5,"scope":"lab"}', "nonsense", '{"type":"down","id":6}'
        )
    assert [(answer["type"], answer.get("id")) for answer in answers] == [("failed", 0), ("done", 6)]
    assert answers[1]["value"] == {"others": 0}
    assert "999999" in str(answers[0]["text"])


def test_a_client_that_greets_not_at_all_is_refused(desk: Desk) -> None:
    """A first line that is no hello gets words and the end of the conversation, also when it asks for the lab's end."""
    assert desk.netless("up").returncode == 0
    with find.connect(desk.lab) as conversation:
        assert [answer["type"] for answer in says(conversation, '{"type":"down","id":1}')] == ["failed"]
    assert desk.runs()


@pytest.mark.parametrize(
    ("manner", "number"), [((), signal.SIGTERM), (("silent",), signal.SIGTERM), (("deaf",), signal.SIGKILL)], ids=["refuses", "silent", "deaf"]
)
def test_down_ends_an_agent_that_does_not_listen(desk: Desk, manner: tuple[str, ...], number: signal.Signals) -> None:
    """One that refuses before it has read what is asked, or says nothing, gets SIGTERM, and SIGKILL when it does not heed that."""
    name = socket_name(desk.lab, os.geteuid()).removeprefix("\0")
    with pretender(name, *manner) as agent:
        done = desk.netless("down", "--json")
        assert (done.returncode, json.loads(done.stdout)["ended"]) == (0, True)
        assert agent.wait(20) == -number
