"""A lab starts, is found by its own user, and is gone when its agent ends."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.checkout import as_here
from netless_lab.address import lab_of, socket_name
from netless_lab.sandbox import find
from netless_lab.sandbox.start import AlreadyRuns, Boot, StartError, start
from sandbox.helpers.agent import AHEAD, ENTRY
from sandbox.helpers.alone import Machine, alone, alone_as_root, remains
from sandbox.helpers.rooms import ask, launch, room


@alone
def test_a_lab_is_found_and_answers_its_own_user() -> None:
    """After ``start`` the lab is listed as ready, and the keeper's pid and user are what the kernel says of the connection."""
    with room("one") as made:
        assert find.labs() == (find.Found("one", True),)
        with find.connect("one") as sock:
            assert find.peer_pid(sock) == made.started.keeper
            assert find.peer_uid(sock) == os.geteuid()
        lines = Path(f"/proc/{made.started.pid}/status").read_text(encoding="utf-8").splitlines()
        assert next(line for line in lines if line.startswith("NSpid:")).split()[-1] == "1"
        assert ask("one", {"facts": 1})["pid"] == made.started.pid


@alone
def test_nothing_remains_of_a_lab_that_was_killed() -> None:
    """SIGKILL of the agent takes every process, namespace, mount, socket and file along, detached grandchildren included."""
    before = Machine.now()
    with room("one", internet=True, containers=["c1", "c2"]) as made:
        made.sh("setsid -f sleep 1000 >/dev/null 2>&1; nohup sleep 1000 >/dev/null 2>&1 & disown")
        made.sh("ip netns add x; touch /tmp/f /run/f /dev/shm/f; echo x > /etc/f")
        assert len(Machine.now().beyond(before)) > 5
        made.kill()
    assert remains(of=before) == []
    assert find.labs() == ()


@alone
def test_nothing_remains_of_a_lab_that_ended_by_itself() -> None:
    """An agent that returns ends its lab as thoroughly as one that is killed."""
    before = Machine.now()
    with room("one", containers=["c1"]):
        ask("one", {"end": 1})
        assert remains(of=before) == []


@alone
def test_two_labs_of_one_name_cannot_run_but_two_names_can() -> None:
    """The second start of a name says that it runs; another name is another lab."""
    with room("one") as first, room("two") as second:
        with pytest.raises(AlreadyRuns, match="runs already"):
            start("one", ENTRY)
        assert [lab.lab for lab in find.labs()] == ["one", "two"]
        assert first.started.pid != second.started.pid
        first.sh("touch /run/here")
        assert second.code("test -e /run/here") == 1


@alone
def test_a_name_is_free_again_at_once() -> None:
    """A lab can be started anew as soon as the old agent was killed and is gone."""
    for _ in range(3):
        with room("again"):
            assert find.labs() == (find.Found("again", True),)
        remains(of=Machine.now())


@pytest.mark.parametrize(
    ("entry", "fail", "words"),
    [
        ("no.such.module:main", "", "ModuleNotFoundError"),
        ("sandbox.helpers.agent:nothing", "", "AttributeError"),
        (ENTRY, "raise", "RuntimeError: on purpose"),
        (ENTRY, "exit", "without a word"),
        (ENTRY, "kill", "killed by SIG"),
    ],
)
@alone
def test_an_agent_that_fails_to_start_says_why_and_leaves_nothing(entry: str, fail: str, words: str) -> None:
    """Whatever goes wrong before the lab is ready reaches the starter, with the traceback in the log, and nothing remains."""
    before = Machine.now()
    with pytest.raises(StartError) as raised:
        start("bad", entry, argument=json.dumps({"fail": fail}))
    assert words in str(raised.value)
    assert raised.value.failure.stage == "agent"
    if fail == "raise":
        assert "Traceback" in raised.value.log
    assert remains(of=before) == []


@alone
def test_what_is_made_ahead_reaches_the_agent() -> None:
    """It is made of the argument, before there is an agent, by who will be root of the room and among the room's files, whatever its size."""
    started = launch("one", ENTRY, argument='{"internet": true}', ahead=AHEAD).wait()
    facts = ask("one", {"facts": 1})
    seen = json.loads(facts["ahead"])
    assert (seen["uid"], seen["tmp"], seen["argument"], len(seen["much"])) == (0, [], '{"internet": true}', 1 << 20)
    assert seen["pid"] != started.pid
    assert not [file for file in facts["files"].values() if "netless-ahead" in file]
    os.kill(started.pid, 9)
    started.close()


@pytest.mark.parametrize(("ahead", "words"), [(AHEAD, "LookupError: nothing to be made"), ("no.such.module:look", "ModuleNotFoundError")])
@alone
def test_what_cannot_be_made_ahead_is_told_and_leaves_nothing(ahead: str, words: str) -> None:
    """As of an agent that fails to start."""
    before = Machine.now()
    with pytest.raises(StartError) as raised:
        launch("bad", ENTRY, argument='{"fail": "ahead"}', ahead=ahead).wait()
    assert words in str(raised.value)
    assert raised.value.failure.stage == "agent"
    assert remains(of=before) == []


@alone
def test_the_log_of_a_killed_agent_can_still_be_read() -> None:
    """What the agent wrote to standard error outlives it, in memory of whoever started it, and in no file."""
    with room("one") as made:
        assert "the agent is ready" in made.started.log()
        made.kill()
        remains(of=Machine.now())
        assert "the agent is ready" in made.started.log()


@alone
def test_giving_up_before_it_is_ready_ends_it() -> None:
    """Closing a start that is under way leaves nothing."""
    before = Machine.now()
    launch("one", ENTRY).close()
    assert remains(of=before) == []


@alone
def test_files_handed_to_the_agent_are_its_own() -> None:
    """A file passed at the start is the agent's, by a number of its own; what the agent starts does not inherit it. One that is held stays open outside."""
    reading, writing = os.pipe()
    watched, held = os.pipe()
    started = launch("one", ENTRY, pass_fds=(writing,), held_fds=(held,)).wait()
    inode, outside = os.fstat(writing).st_ino, os.fstat(held).st_ino
    for fd in (writing, held):
        os.close(fd)
    facts = ask("one", {"facts": 1})
    assert [facts["files"][str(fd)] for fd in facts["passed"]] == [f"pipe:[{inode}]"]
    assert f"pipe:[{outside}]" not in facts["files"].values()
    answer = ask("one", {"sh": f"ls -l /proc/self/fd | grep -F 'pipe:[{inode}]'"})
    assert answer["code"] == 1, answer
    assert not select.select([watched], [], [], 0)[0]
    os.kill(started.pid, 9)
    assert os.read(reading, 1) == b"" == os.read(watched, 1)
    started.close()


@alone
def test_a_boot_that_is_told_nothing_leaves_nothing() -> None:
    """Whoever finds no reason for a lab while its interpreter begins gives it up."""
    before = Machine.now()
    files = len(os.listdir("/proc/self/fd"))
    with Boot("one"):
        pass
    assert remains(of=before) == [] and len(os.listdir("/proc/self/fd")) == files


@alone
def test_the_agent_keeps_no_tie_to_its_starter() -> None:
    """A lab outlives the process that started it, and has a session, a working directory and standard files of its own."""
    code = "from netless_lab.sandbox.start import start; from sandbox.helpers.agent import ENTRY; print(start('kept', ENTRY).pid)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=as_here()).stdout
    pid = int(printed)
    remains(of=Machine.now())
    assert find.labs() == (find.Found("kept", True),)
    assert os.getsid(pid) != os.getsid(0)
    told = ask("kept", {"facts": 1})
    assert told["cwd"] == "/"
    assert [told["files"][fd] for fd in "01"] == ["/dev/null", "/dev/null"] and told["files"]["2"].startswith("/memfd:")
    os.kill(pid, 9)


@alone_as_root
def test_a_name_held_by_another_user_is_refused() -> None:
    """Abstract names have no permissions: a squatter on our lab's name is recognised by the kernel's credentials."""
    squatter = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    squatter.bind("\0netless/0/mine")
    if os.fork() == 0:
        os.setresuid(65534, 65534, 65534)
        squatter.listen()
        os.kill(os.getpid(), 19)
        os._exit(0)
    os.waitpid(-1, os.WUNTRACED)
    with pytest.raises(find.NotOurs, match="another user"):
        find.connect("mine")
    assert find.labs() == (), "it is no lab of ours, whatever it is called"


@alone
@pytest.mark.parametrize(
    "rest",
    [b"\n0: 0 0 ZZ 0 0 0 @netless/0/forged", b"\n", b"\r\n@netless/0/forged\r", b"\n\xff: 1 2 3 4 5 6 @netless/0/forged", b"\n0: 1 2 3 4 5 6 @netless"],
)
def test_names_that_look_like_lines(rest: bytes) -> None:
    """Another user's socket whose name holds ends of lines, and what is no line of a socket's, hides no lab and stops nobody from finding his."""
    before, after = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
    before.bind(b"\0a" + rest)
    with room("found"):
        after.bind(b"\0b" + rest)
        assert find.labs() == (find.Found("found", True),)


@alone
def test_a_name_at_which_nobody_is_taken_in() -> None:
    """One that listens, lets nobody in and has its queue full does not make us wait for ever: it is said, in words."""
    full = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    full.bind(socket_name("full", os.geteuid()))
    full.listen(0)
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    waiting.connect(socket_name("full", os.geteuid()))
    with pytest.raises(find.TakesNobody, match="taken in nobody"):
        find.connect("full")


@alone
def test_a_lab_that_is_not_there() -> None:
    """Connecting to a name nobody holds says so."""
    with pytest.raises(find.NoSuchLab, match="no lab called ghost"):
        find.connect("ghost")


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "-x", "x" * 33, "\0", "ü"])
def test_impossible_names_are_refused_before_anything_is_done(name: str) -> None:
    """A lab's name is one short word."""
    with pytest.raises(ValueError, match="a lab cannot be called"):
        launch(name, "nobody:asks")


@pytest.mark.parametrize(
    ("path", "lab"),
    [
        ("@netless/1001/default", "default"),
        ("@netless/1001/a.b-c_d", "a.b-c_d"),
        ("@netless/10010/default", None),
        ("@netless/1001/", None),
        ("@netless/1001/a/b", None),
        ("/run/netless/1001/default", None),
        ("", None),
    ],
)
def test_socket_names_of_others_are_not_ours(path: str, lab: str | None) -> None:
    """Only names below our own uid are labs of ours."""
    assert lab_of(path, 1001) == lab
