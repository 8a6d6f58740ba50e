"""The whole product as a learner meets it: the real program, in a real terminal, on a real kernel. Witnesses are ip(8) and tmux."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.checkout import as_here
from helpers.waiting import eventually

pytestmark = [pytest.mark.kernel, pytest.mark.tmux, pytest.mark.rootless]


class Learner:
    """Somebody at a terminal: keys in, screen out."""

    def __init__(self, server: str, lab: str, home: Path) -> None:
        self.server, self.lab, self.home = server, lab, home
        self.environment = {**as_here(), "XDG_STATE_HOME": str(home), "COLORTERM": "truecolor"}

    def tmux(self, *words: str) -> str:
        """One tmux command."""
        done = subprocess.run(["tmux", "-L", self.server, *words], capture_output=True, text=True, env=self.environment, check=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys."""
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        """What is to be seen."""
        return self.tmux("capture-pane", "-p")

    def wait_for(self, *words: str, seconds: float = 20.0) -> str:
        """Wait until all of these are on the screen, and return the screen."""
        return self.wait_until(lambda text: all(word in text for word in words), f"all of {words}", seconds=seconds)

    def wait_until(self, shown: Callable[[str], bool], what: str, *, seconds: float = 20.0) -> str:
        """Wait until the screen is so, and return it: tmux tells of it also while a picture is only painted in part."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            text = self.screen()
            if shown(text):
                return text
            time.sleep(0.03)
        raise AssertionError(f"never saw {what} in\n{self.screen()}")

    def netless(self, *words: str) -> str:
        """A command of netless in another terminal."""
        command = [sys.executable, "-P", "-m", "netless", "--lab", self.lab, *words]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=True).stdout

    def elsewhere(self, *words: str, node: str = "host") -> str:
        """A command in another terminal, in one of the lab's nodes."""
        return self.netless("exec", node, "--", *words)

    def goto(self, step: str, *, telling: str = "") -> None:
        """Go to a step from another terminal; meanwhile the screen tells this."""
        command = [sys.executable, "-P", "-m", "netless", "--lab", self.lab, "goto", step]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=self.environment) as going:
            self.wait_for(telling)
        assert going.returncode == 0

    def see_it_done(self, *words: str) -> None:
        """Wait until the step is done, and whoever does it is at rest: until then no key counts that does something."""
        self.wait_for("Check ✓ done", *words)
        assert eventually(lambda: not json.loads(self.netless("status", "--json"))["busy"])

    def click(self, word: str, *, row: str) -> None:
        """A click on a word in the first row that holds another."""
        y, text = next((y, text) for y, text in enumerate(self.screen().split("\n"), 1) if row in text)
        x = text.index(word, text.index(row)) + 1
        for end in "Mm":
            self.tmux("send-keys", "-l", f"\x1b[<0;{x};{y}{end}")


@contextmanager
def learner(tmp_path: Path, width: int, height: int, *words: str) -> Iterator[Learner]:
    """The tutor, just opened on a lab of its own, with these words on its command line."""
    name = f"app{os.getpid()}x{width}"
    seat = Learner(name, name, tmp_path)
    program = f"{sys.executable} -P -m netless --lab {name} {shlex.join(words)}; echo LEFT WITH $?; exec cat"
    seat.tmux("-f", os.devnull, "new-session", "-d", "-c", str(tmp_path), "-x", str(width), "-y", str(height), program)
    try:
        seat.wait_for("r Run", "netless", "Check 0 of")
        yield seat
    finally:
        subprocess.run(["tmux", "-L", name, "kill-server"], check=False, capture_output=True)
        down = [sys.executable, "-P", "-m", "netless", "--lab", name, "down"]
        subprocess.run(down, check=False, capture_output=True, env=seat.environment)


def test_a_lesson_by_keys(tmp_path: Path) -> None:
    """Run and Next lead through the first lesson; what the screen says is true of the kernel."""
    with learner(tmp_path, 120, 40) as seat:
        seat.press("r")
        seat.see_it_done()
        assert "c1" in seat.elsewhere("ip", "netns", "list")
        for number in (2, 3, 4):
            seat.press("n")
            seat.wait_for(f"{number}/4")
            seat.press("r")
            seat.see_it_done()
        assert "127.0.0.1/8" in seat.elsewhere("ip", "-n", "c1", "-br", "addr", "show", "lo")
        seat.press("q")
        seat.wait_for("LEFT WITH 0")


def test_two_presses_in_one_read_are_one_run(tmp_path: Path) -> None:
    """A key that comes with the one before it finds the lab busy: the step is done, the next one is not."""
    with learner(tmp_path, 122, 40) as seat:
        seat.press("rr")
        seat.see_it_done("1/4")
        seat.press("n")
        seat.wait_for("2/4", "Check 0 of")
        assert "decoy" not in seat.elsewhere("ip", "netns", "list")


def test_the_border_says_which_keys_count_in_the_terminal(tmp_path: Path) -> None:
    """Scrolled back: how far, and that all keys but the one that searches return; then the usual keys again; ended: that Enter starts a new shell."""
    with learner(tmp_path, 124, 40) as seat:
        seat.press("F3")
        seat.wait_for("shift+↑ select", "host:")
        seat.press("seq 100", "Enter")
        seat.wait_for("│ 100 ")
        seat.press("S-PPage")
        seat.wait_for("lines back  / search  any key returns")
        seat.press("Space")
        seat.wait_for("shift+↑ select")
        seat.press("C-u", "exit", "Enter")
        seat.wait_for("Enter starts a new shell  ctrl+] leave")


def test_the_terminal_alone_and_back(tmp_path: Path) -> None:
    """F11 in the terminal shows it alone, and all panes again: the shell gets no key, and a long line is whole at both sizes."""
    line = "echo " + "-".join(["word"] * 20)
    with learner(tmp_path, 125, 40) as seat:
        seat.press("F3")
        seat.wait_for("shift+↑ select", "host:")
        seat.press(line)
        seat.wait_for("word-word")
        assert line not in seat.screen()
        seat.press("F11")
        seat.wait_until(lambda text: "Network ─" not in text and text.count(line) == text.count("echo ") == 1, "the line, once, and nothing else")
        seat.press("F11")
        alike = ("Network ─", "host:~# echo word")
        seat.wait_until(lambda text: all(word in text for word in alike) and line not in text and text.count("echo ") == 1, f"{alike}, and the line in rows")


def test_a_shell_follows_its_node(tmp_path: Path) -> None:
    """F3 opens a real shell; in a container that died and is built anew it is started again, in the namespace that is c1 now."""
    with learner(tmp_path, 123, 40) as seat:
        seat.goto("cable/plug")
        seat.wait_for("Plug one end")
        seat.press("F3")
        seat.wait_for("ctrl+] Leave the terminal", "host:")
        seat.click("c1", row="Terminal")
        seat.wait_for("c1:")
        for word in ("before", "after"):
            seat.press(f"echo {word} $(readlink /proc/self/ns/net)", "Enter")
            namespace = seat.elsewhere("readlink", "/proc/self/ns/net", node="c1").strip()
            seat.wait_for(f"{word} {namespace}")
            if word == "before":
                first, *_ = sorted(seat.elsewhere("ip", "netns", "pids", "c1").split(), key=int)
                seat.elsewhere("kill", "-KILL", first)
                seat.goto("cable/pair", telling="c1 was built anew; its shell was started again there.")
                assert eventually(lambda: "enter starts a new shell" not in seat.screen().lower())
                assert namespace != seat.elsewhere("readlink", "/proc/self/ns/net", node="c1").strip()


def test_typing_counts_and_so_does_another_terminal(tmp_path: Path) -> None:
    """At 80x24: the command is put at a real prompt, Enter runs it, the step is done; a change made elsewhere shows at once."""
    with learner(tmp_path, 80, 24) as seat:
        seat.press("t")
        seat.wait_for("ctrl+] Leave the terminal", "/run/netns/c1")
        seat.press("Enter")
        seat.wait_for("✓")
        assert "c1" in seat.elsewhere("ip", "netns", "list")
        seat.press("C-]")
        seat.wait_until(lambda text: "Check ✓ done" in text and ("● eth0" in text or "eth0 ●" in text), "a step that is done, and an uplink that is up")
        seat.elsewhere("ip", "link", "set", "eth0", "down")
        seat.wait_for("eth0 ○")
        seat.elsewhere("ip", "link", "set", "eth0", "up")
        seat.wait_for("eth0 ●")


def test_what_is_typed_behind_f3_is_for_the_terminal(tmp_path: Path) -> None:
    """F3 and a command in one read: the shell gets all of it, whether its terminal was open or is opened by that, and no letter acts as a key."""
    with learner(tmp_path, 120, 40) as seat:
        for name in ("first", "second"):
            seat.press("F3", "i", "p", "Space", "l", "i", "n", "k", "Space", "a", "d", "d", "Space", *name, "Space", "t", "y", "p", "e", "Space", *"bridge", "Enter")
            assert eventually(lambda name=name: name in seat.elsewhere("ip", "-br", "link"))  # type: ignore[misc]
            assert "name" not in seat.elsewhere("ip", "netns", "list")
            seat.wait_until(lambda text, name=name: text.count(f"add {name}") == 1, "what was typed, once")  # type: ignore[misc]
            seat.press("C-]")
            seat.wait_for("r Run")
        assert "play" not in seat.screen().lower().split("r run")[0]
