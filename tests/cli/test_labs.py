"""Which lab a command acts on: the one that was named, wherever its name stands, and never one that nobody meant."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from helpers.command_line import NO_LAB, Cli, own_name

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def elsewhere(netless: Cli) -> Cli:
    """A running lab, and a shell that is in another one, which does not run."""
    shell = Cli(netless.lab, netless.state)
    shell.environment["NETLESS_LAB"] = own_name()
    return shell


def running(cli: Cli) -> list[str]:
    """The names ``labs`` prints."""
    return cli("labs").stdout.split()


@pytest.mark.parametrize(
    "words",
    [
        "check", "check container/switch", "hint", "back", "next", "reset lab --yes", "status", "exec host -- true", "ping c1 10.0.0.1",
        "snapshot", "diagram", "history", "break forwarding-off", "mend",
    ],
)  # fmt: skip
def test_a_mistyped_lab_is_refused_and_gets_no_mark(elsewhere: Cli, words: str) -> None:
    """Exit code 5, not 1; the sentence names the lab, the one that was perhaps meant, and the command that starts it; none is started."""
    typo = elsewhere.lab[:-1]
    refused = elsewhere("--lab", typo, *words.split(), code=NO_LAB)
    assert refused.stdout == ""
    for said in (f"the lab {typo} is not running", elsewhere.lab, f"`netless --lab {typo} up`"):
        assert said in refused.stderr
    assert typo not in running(elsewhere)


def test_the_refusal_as_a_document(elsewhere: Cli) -> None:
    """--json has the code and the nearest name; ``status`` says besides that the lab does not run."""
    typo = elsewhere.lab[:-1]
    told = elsewhere.json("--lab", typo, "check", code=NO_LAB)
    assert told["code"] == NO_LAB and told["nearest"][0] == elsewhere.lab
    assert elsewhere.json("--lab", typo, "status", code=NO_LAB)["running"] is False


@pytest.mark.parametrize("words", ["up", "run netless/decoy", "goto cable/pair", "shell"])
def test_verbs_that_build_or_enter_start_a_lab_and_say_so(elsewhere: Cli, words: str) -> None:
    """They are how a lab begins."""
    lab = own_name()
    try:
        assert f"starting the lab {lab}" in elsewhere("--lab", lab, *words.split(), stdin="exit 0\n").stderr
        assert lab in running(elsewhere)
    finally:
        elsewhere("--lab", lab, "down")


@pytest.mark.parametrize("words", ["exec host --lab {} -- cat", "exec --lab {} host cat", "exec host --lab={} cat", "--lab {} exec host -- cat"])
def test_exec_goes_to_the_lab_that_is_named(elsewhere: Cli, words: str) -> None:
    """Wherever the name stands; the lab of the environment is neither entered nor started."""
    assert elsewhere(*words.format(elsewhere.lab).split(), stdin="here").stdout == "here"
    assert elsewhere.environment["NETLESS_LAB"] not in running(elsewhere)


def test_progress_goes_to_the_lab_that_is_named(elsewhere: Cli, tmp_path: Path) -> None:
    """A global option between the words of a verb leaves them together."""
    kept = tmp_path / "kept.json"
    elsewhere("progress", "export", "--lab", elsewhere.lab, str(kept))
    assert kept.exists()


def test_what_a_lab_earned_is_on_disk_when_it_has_ended(cli: Cli) -> None:
    """One file, which holds the tick; nothing else is left beside it, and nothing inside could have written it."""
    cli("run", "netless/name")
    cli("down")
    (kept,) = (cli.state / "netless").iterdir()
    assert kept.name == f"{cli.lab}.json"
    assert json.loads(kept.read_text())["courses"]["container"]["steps"]["netless/name"]["earned"] > 0


def test_what_is_imported_counts_beside_what_the_last_lab_earned(cli: Cli, tmp_path: Path) -> None:
    """A lab was ended with ticks of its own: the import is not forgotten for them, nor they for it, now and in the next lab."""
    kept = tmp_path / "kept.json"
    kept.write_text('{"format":1,"courses":{"container":{"steps":{"cable/pair":{"earned":7.0,"by_hand":1}}}}}')
    cli("run", "netless/name")
    cli("down")
    cli("progress", "import", str(kept))
    for _ in range(2):
        steps = cli.json("progress")["courses"]["container"]["steps"]
        assert steps["cable/pair"]["earned"] == 7.0 and steps["netless/name"]["earned"] is not None
        cli("up")
        cli("down")


def test_the_lab_of_the_environment_is_the_default(elsewhere: Cli) -> None:
    """NETLESS_LAB names it, as --help says; in the lab's own terminals it is set."""
    own = Cli(elsewhere.lab, elsewhere.state)
    assert own.json("status")["lab"] == elsewhere.lab
    assert "NETLESS_LAB" in own("--help").stdout
    assert own("exec", "c1", "--", "printenv", "NETLESS_LAB").stdout.strip() == elsewhere.lab


def test_every_suggested_command_names_the_lab_one_is_in(elsewhere: Cli) -> None:
    """Typed as shown they act on that lab, refusals included; where a bare command would, it is shown bare."""
    at_home = Cli(elsewhere.lab, elsewhere.state)
    verbs = ("up", "goto neighbour --end", "break forwarding-off", "hint", "mend", "mend", "hint")
    refused = ("break forwarding-off", "next", "progress import nothing")
    for cli, options in ((elsewhere, ("--lab", elsewhere.lab)), (at_home, ())):
        said = ""
        for words in verbs:
            done = cli(*options, *words.split())
            said += done.stdout + done.stderr
            if words.startswith("break"):
                said += "".join(cli(*options, *again.split(), code=2 if "import" in again else 1).stderr for again in refused)
        suggested = re.findall(r"`netless[^`]*`", said)
        assert len(suggested) > 8
        named = [command for command in suggested if command.startswith(f"`netless --lab {elsewhere.lab}")]
        assert named == (suggested if options else [])


def test_up_finds_a_lab_that_is_ending(cli: Cli) -> None:
    """Its agent is killed and `up` comes before the lab's name is free: it waits for that and starts a new lab."""
    for _ in range(6):
        cli("up")
        os.kill(int(cli.json("status")["agent_pid"]), signal.SIGKILL)
    cli("up")
    assert cli.json("status")["running"]
