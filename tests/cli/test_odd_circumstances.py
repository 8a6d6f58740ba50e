"""Closed streams, poor encodings, no home, a spoiled state folder, something that only holds a lab's name: always words and an exit code, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.command_line import Cli, own_name
from helpers.pretender import pretender
from netless_lab.address import socket_name

pytestmark = pytest.mark.kernel
READING = (
    ("status",), ("courses",), ("doctor",), ("snapshot",), ("diagram",), ("diagram", "--svg", "-"), ("check",), ("history", "--script"), ("progress",),
    ("progress", "export"), ("run",), ("exec", "host", "--", "true"), ("tutor",), ("no-such-verb",), ("--help",), ("--version",), ("--json", "status"),
    ("--json", "no-such-verb"),
)  # fmt: skip
ONE_OF_EACH_KIND = (("status",), ("diagram", "--svg", "-"), ("exec", "host", "--", "true"), ("no-such-verb",), ("--json", "status"))
"""Verbs that write in different ways: words, a document, what a program says, an error."""


def typed(cli: Cli, words: tuple[str, ...], redirection: str = "", changes: Mapping[str, str | None] | None = None) -> subprocess.CompletedProcess[bytes]:
    """A command as a shell starts it, with its redirection; variables that are None are unset. It never fails in a way it should not."""
    environment = {**cli.environment, **(changes or {})}
    command = ["sh", "-c", f'"$@" {redirection}', "sh", sys.executable, "-m", "netless", *words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env={name: value for name, value in environment.items() if value is not None},
        timeout=90, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode in (0, 1, 2, 3, 5), (words, done)
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr, (words, done)
    return done


@pytest.mark.parametrize(
    ("redirection", "verbs"),
    [(">&- 2>&-", READING), (">/dev/full", READING), (">&-", ONE_OF_EACH_KIND), ("2>&-", ONE_OF_EACH_KIND), ("<&- >&-", ONE_OF_EACH_KIND)],
    ids=["no output", "a full disk", "no standard output", "no standard error", "no input and output"],
)
def test_a_stream_that_takes_nothing(netless: Cli, redirection: str, verbs: tuple[tuple[str, ...], ...]) -> None:
    """A verb ends in words, or silently where it has no stream to say them on."""
    for words in verbs:
        typed(netless, words, redirection)


@pytest.mark.parametrize("changes", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "LC_ALL": "C"}], ids=["ascii", "C"])
def test_a_terminal_without_our_signs(netless: Cli, changes: dict[str, str]) -> None:
    """Every verb can say what it has to say in ASCII; a JSON document loses nothing by it."""
    for words in READING:
        assert typed(netless, words, changes=changes).stdout.isascii()
    for words in (("--json", "courses"), ("--json", "faults")):
        assert json.loads(typed(netless, words, changes=changes).stdout) == json.loads(typed(netless, words).stdout)


def test_signs_of_a_document_that_are_not_ascii(netless: Cli, tmp_path: Path) -> None:
    """They are written by their numbers, those beyond the first 65,536 too."""
    data = b'{"format": 1, "courses": {"\xc3\xa9\xe6\xbc\xa2\xf0\x90\x8d\x88": {}}}'
    state = {"XDG_STATE_HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    (tmp_path / "netless").mkdir()
    (tmp_path / "netless" / "none.json").write_bytes(data)
    assert "é漢\U00010348" in json.loads(typed(netless, ("--json", "--lab", "none", "progress"), changes=state).stdout)["courses"]


def test_progress_that_acts_on_a_terminal(netless: Cli, tmp_path: Path) -> None:
    """Whatever ids are in it, what is exported to a terminal, into a file or as a document does nothing there, and is the same progress."""
    name = "a\x1b]0;x\x07\x9b5n\u202e\x7f\u2066\xe9"
    state = {"XDG_STATE_HOME": str(tmp_path)}
    (tmp_path / "netless").mkdir()
    (tmp_path / "netless" / "none.json").write_text(json.dumps({"format": 1, "courses": {name: {}}}))
    said = [typed(netless, ("--lab", "none", "progress", "export"), changes=state).stdout, typed(netless, ("--json", "--lab", "none", "progress"), changes=state).stdout]
    typed(netless, ("--lab", "none", "progress", "export", str(tmp_path / "file")), changes=state)
    for document in (*said, (tmp_path / "file").read_bytes()):
        assert list(json.loads(document)["courses"]) == [name]
        assert all(sign.isprintable() or sign == "\n" for sign in document.decode())


def test_without_a_home(netless: Cli, tmp_path: Path) -> None:
    """Who has HOME unset has the one of the list of users; who has none there either is told what to set."""
    for words in READING:
        typed(netless, words, changes={"HOME": None})
    nobody = "import os, pwd, sys; pwd.getpwuid = lambda number: (_ for _ in ()).throw(KeyError(number)); from netless.__main__ import main; sys.exit(main())"
    environment = {name: value for name, value in netless.environment.items() if name not in ("HOME", "XDG_STATE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", nobody, "--lab", own_name(), "progress"], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 3 and "XDG_STATE_HOME" in done.stderr and "Traceback" not in done.stderr, done


@pytest.mark.parametrize("words", [("goto", os.fsdecode(b"\xff")), ("exec", os.fsdecode(b"\xed\xa0\x80"), "--", "true"), ("ping", "host", os.fsdecode(b"\xff"))])
def test_a_word_that_is_no_text(netless: Cli, words: tuple[str, ...]) -> None:
    """A name that is not UTF-8 is a name that is not known."""
    assert typed(netless, words).returncode in (1, 2)


NO_TEXT = r"""
B=$(printf 'a\377b'); X=$(printf 'x\377'); Y=$(printf 'y\377')
ip netns add "$B" && ip link add "$X" type veth peer name "$Y" && ip addr add 10.9.9.1/24 dev "$X" && ip link set "$X" up
ip link set "$Y" alias "$(printf 'z\377')" && ip link set "$Y" netns "$B" && mkdir "/run/netns/$(printf 'd\376')" && touch "/run/netns/$(printf 'f\376')"
ln -s /proc/1/ns/net "/run/netns/$(printf 'l\376')" && ls /run/netns
"""
"""Names that are no UTF-8, of namespaces, interfaces, a folder, a file and a link: the kernel takes any byte but few."""


@pytest.mark.parametrize(
    "verb",
    [
        ("status",), ("snapshot",), ("diagram",), ("check",), ("ping", "host", "10.9.9.2", "--explain"), ("reset", "--yes"), ("run",),
        ("break",), ("back",),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_names_in_the_lab_that_are_no_text(netless: Cli, verb: tuple[str, ...]) -> None:
    """Whatever the kernel took for a name inside, each verb does what it is for: what rebuilds the lab takes those names away too."""
    assert b"a\xffb" in typed(netless, ("exec", "host", "--", "sh", "-c", NO_TEXT)).stdout
    if verb == ("back",):
        typed(netless, ("break",))
    assert typed(netless, verb).returncode in (0, 1), verb
    typed(netless, ("reset", "--yes"))
    assert b"\xff" not in typed(netless, ("exec", "host", "--", "ls", "/run/netns")).stdout


@pytest.mark.parametrize("fault", ["mac-not-welcome", "dropped-at-the-plug"])
def test_a_fault_speaks_of_a_link_whatever_it_is_called(netless: Cli, fault: str) -> None:
    """A rule that names the learner's own link, `yé`, is a rule for that link, though nft takes no such word unless it is quoted."""
    typed(netless, ("goto", "cable/pair"))
    typed(netless, ("exec", "host", "--", "sh", "-c", r"ip link add $(printf 'x\303\251') type veth peer name $(printf 'y\303\251')"))
    typed(netless, ("check",))
    broke = typed(netless, ("break", fault))
    assert broke.returncode == 0, broke
    typed(netless, ("mend",))
    typed(netless, ("reset", "--yes"))


def spoiled(path: Path, kind: str) -> None:
    """Something in the place of a progress file."""
    path.parent.mkdir(parents=True)
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "deep":
            path.write_bytes(b'{"format": 1, "courses": ' + b'{"a": ' * 50_000)
        case _:
            path.write_bytes(b'{"format": 1, "courses": {"\xff\xfe": {}}}')


@pytest.mark.parametrize("kind", ["fifo", "folder", "deep", "not UTF-8"])
def test_a_spoiled_progress_file(kind: str, cli: Cli) -> None:
    """It is set aside under another name, the lab starts and says so, and keeps what is earned from now on."""
    path = cli.state / "netless" / f"{cli.lab}.json"
    spoiled(path, kind)
    cli("up")
    (notice,) = cli.json("status")["notices"]
    assert "could not be read" in notice and f"{path}.broken" in notice
    cli("run")
    cli("down")
    assert "earned" in cli("progress").stdout
    assert os.path.lexists(f"{path}.broken") and path.is_file()


@pytest.mark.parametrize("verb", [("status",), ("up",), ("progress",)])
def test_what_holds_the_name_is_silent(verb: tuple[str, ...], cli: Cli) -> None:
    """A process that listens at a lab's name and never greets is told of in words, with what can be done; ``down`` ends it."""
    with pretender(socket_name(cli.lab, os.geteuid()).removeprefix("\0"), "silent"):
        done = cli(*verb, code=3)
        assert "has not answered" in done.stderr and "down`" in done.stderr


def test_a_name_that_is_only_bound(cli: Cli) -> None:
    """Where nobody even listens, starting a lab of that name is refused in words; looking for it finds none."""
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(socket_name(cli.lab, os.geteuid()))
        assert "is held by" in cli("up", code=3).stderr
        cli("status", code=5)


def test_an_agent_that_is_stopped(cli: Cli) -> None:
    """Every verb says that it does not answer; it goes on when the agent does."""
    cli("up")
    agent = int(cli.json("status")["agent_pid"])
    os.kill(agent, signal.SIGSTOP)
    try:
        assert "has not answered" in cli("status", code=3).stderr
    finally:
        os.kill(agent, signal.SIGCONT)
    cli("status")
