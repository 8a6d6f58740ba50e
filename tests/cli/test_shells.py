"""netless in the shell around it: tab completes in real bash, zsh and fish on a terminal, and the man page is one that troff takes."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.command_line import Cli, begun
from netless.commands.printed import rows
from netless.config.schema import SETTINGS
from netless.usage.completions import script
from netless.usage.table import SHOWN, VERBS, synopsis
from netless.verbs.shells import man_page

pytestmark = pytest.mark.tmux

SHELLS = {
    "bash": ("bash --norc --noprofile -i", "source <(netless completions bash)"),
    "zsh": ("zsh -f -i", "autoload -Uz compinit; compinit -u -D; source <(netless completions zsh)"),
    "fish": ("fish --no-config -i", "netless completions fish | source"),
}
"""How a shell is started without anybody's settings, and how it is told of netless."""


@pytest.fixture(scope="module")
def netless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """About a lab that runs, and ``netless`` on the PATH."""
    top = tmp_path_factory.mktemp("shells")
    with begun(top / "state") as cli:
        program = top / "bin/netless"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m netless "$@"\n')
        program.chmod(0o755)
        cli.environment["PATH"] = f"{program.parent}:{cli.environment['PATH']}"
        yield cli


class Prompt:
    """Somebody at the prompt of a shell in tmux, in a folder of their own."""

    def __init__(self, cli: Cli, shell: str, folder: Path) -> None:
        start, tell = SHELLS[shell]
        if not shutil.which(shell):
            pytest.skip(f"no {shell} here: apt-get install {shell}")
        self._server = str(folder / "tmux")
        self._environment = {**cli.environment, "HOME": str(folder), "TERM": "screen", "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        self._environment.pop("TMUX", None)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "50", "-c", str(folder), start)
        self.keys("-l", f"{tell}; echo now $(printf re)ady")
        self.keys("Enter")
        self.wait(lambda screen: "now ready" in screen)

    def tmux(self, *words: str) -> str:
        """One command of tmux."""
        done = subprocess.run(["tmux", "-S", self._server, *words], capture_output=True, text=True, env=self._environment, check=True)
        return done.stdout

    def keys(self, *words: str) -> None:
        """Press keys."""
        self.tmux("send-keys", *words)

    def wait(self, seen: Callable[[str], bool]) -> None:
        """Wait for what is on the screen."""
        end = time.monotonic() + 30
        while not seen(screen := self.tmux("capture-pane", "-p")):
            assert time.monotonic() < end, screen.rstrip()
            time.sleep(0.02)

    def completes(self, typed: str, to: str) -> None:
        """A tab after what was typed makes it that."""
        self.keys("C-u")
        self.keys("C-l")
        self.keys("-l", typed)
        self.keys("Tab")
        self.wait(lambda screen: to in screen)

    def offers(self, typed: str, *words: str) -> None:
        """Tabs after what was typed list these."""
        self.keys("C-u")
        self.keys("C-l")
        self.keys("-l", typed)
        self.keys("Tab", "Tab")
        self.wait(lambda screen: set(words) <= set(screen.replace("(", " ").split()))


@pytest.fixture(params=list(SHELLS))
def prompt(request: pytest.FixtureRequest, netless: Cli, tmp_path: Path) -> Iterator[Prompt]:
    """A prompt of each shell."""
    person = Prompt(netless, request.param, tmp_path)
    yield person
    person.tmux("kill-server")


@pytest.mark.kernel
def test_tab_completes_verbs_options_and_what_the_lab_knows(prompt: Prompt, netless: Cli, tmp_path: Path) -> None:
    """Verbs, options, choices, and from the lab and the courses: labs, nodes, courses, steps by their ends, faults; files where a file is wanted;
    and global options in front change nothing.
    """
    (tmp_path / "mine-alone").mkdir()
    prompt.completes("netless snap", "netless snapshot")
    prompt.completes("netless goto plu", "netless goto plug")
    prompt.completes("netless goto container/cable/pl", "netless goto container/cable/plug")
    prompt.completes("netless check --lab " + netless.lab[:-4], f"--lab {netless.lab}")
    prompt.completes(f"netless --lab {netless.lab} shell inter", "shell internet")
    prompt.completes(f"netless --lab={netless.lab} shell inter", "shell internet")
    prompt.completes("netless up cont", "netless up container")
    prompt.completes("netless run --dialect leg", "--dialect legacy")
    prompt.completes("netless history --mark", "netless history --markdown")
    prompt.completes("netless lint mine-a", "netless lint mine-alone")
    prompt.completes("netless break snat-", "netless break snat-to-a-stranger")
    prompt.completes("netless --lab none-such shell inter", "shell inter")
    prompt.completes("netless exec host -- netl", "-- netless")
    prompt.offers("netless reset ", "step", "lesson", "lab")
    prompt.offers("netless exec ", "host", "c1", "internet")


@pytest.mark.kernel
def test_what_the_completions_ask_is_answered_in_lines(netless: Cli) -> None:
    """Each kind; nothing and no word of complaint where there is no lab; a step by its shortest end that means it alone, or by what was begun."""
    assert netless.lab in netless("complete", "lab").stdout.split()
    assert {"host", "c1", "internet"} <= set(netless("complete", "node").stdout.split())
    assert netless("complete", "node", "inter").stdout == "internet\n"
    assert netless("complete", "course").stdout.split() == [course["id"] for course in netless.json("courses")]
    assert {fault["id"] for fault in netless.json("faults")} == set(netless("complete", "fault").stdout.split())
    steps = netless("complete", "step").stdout.split()
    assert "plug" in steps and len(steps) == len(set(steps))
    assert netless("complete", "step", "cable/pl").stdout == "cable/plug\n"
    none = netless("--lab", "none-such", "complete", "node")
    assert (none.stdout, none.stderr) == ("", "")


def test_every_verb_and_option_is_in_every_completion_and_in_the_man_page() -> None:
    """What the table has is in each of its prints; what only the completions use is in none."""
    prints = {shell: script(shell) for shell in SHELLS} | {"man": man_page("1.2.3").replace("\\-", "-")}
    for what, text in prints.items():
        for verb in SHOWN:
            assert verb.name in text, (what, verb)
            for option in verb.options:
                assert option.flags[0].lstrip("-") in text, (what, verb, option)
    hidden = [verb.name for verb in VERBS.values() if verb.hidden]
    assert hidden == ["complete"] and "complete" not in prints["man"].split()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_is_a_script_that_its_shell_reads(shell: str) -> None:
    """No syntax that the shell itself refuses."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here: apt-get install {shell}")
    done = subprocess.run([shell, "-n", "/dev/stdin"], input=script(shell), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def printed(text: str) -> str:
    """A page as groff prints it on wide paper, with every warning on; there are none."""
    command = ["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", "-P-cbou"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_the_man_page_is_taken_by_troff_without_a_warning() -> None:
    """groff with every warning on says nothing, and the page has every verb as usage writes it."""
    shown = printed(man_page("1.2.3"))
    for verb in SHOWN:
        assert f"netless {synopsis(verb)}" in shown, verb
    assert "EXIT STATUS" in shown and "NETLESS_LAB" in shown and "netless 1.2.3" in shown


def test_the_man_page_has_every_key_and_every_setting() -> None:
    """As the tables have them: what a key does under the heading of where it acts; what a setting means, its default, and the variable that says the same."""
    shown = " ".join(printed(man_page("1.2.3")).split())
    for head, under in rows():
        assert head in shown
        for keys, does in under:
            assert f"{keys} {does}" in shown
    for own in SETTINGS:
        assert f"{own.name} {own.about}" in shown, own
        assert own.variable in shown
    assert "config.toml" in shown and "themes/NAME.toml" in shown
