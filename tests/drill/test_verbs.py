"""faults, break and mend as people and scripts use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import NO_LAB, Cli, begun, own

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def netless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A lab of this file's own."""
    with begun(tmp_path_factory.mktemp("state")) as cli:
        yield cli


def test_faults_are_listed_without_a_lab(tmp_path: Path) -> None:
    """``faults`` starts no lab; --json has id, title, teaches and more for each."""
    with own(tmp_path) as netless:
        listed = json.loads(netless("faults", "--json").stdout)
        assert len(listed) >= 60 and all({"id", "title", "teaches", "tells", "needs", "nodes"} <= set(fault) for fault in listed)
        assert "forwarding-off" in netless("faults").stdout
        netless("status", code=NO_LAB)


def test_break_says_the_symptom_and_mend_proves_health(netless: Cli) -> None:
    """The whole life of a fault on the command line, with exit codes: check fails while it is on, and passes after the mend."""
    done = netless("break", "port-down", "--node", "c2")
    assert "c2" in done.stdout and "down" not in done.stdout
    netless("check", code=1)
    netless("exec", "c2", "--", "ping", "-c1", "-W0.3", "10.0.0.1", code=1)
    assert "healthy" in netless("mend").stdout
    netless("exec", "c2", "--", "ping", "-c1", "-W1", "10.0.0.1")
    assert "Nothing is broken" in netless("mend").stdout


def test_the_result_of_a_drill_is_told_and_kept(netless: Cli) -> None:
    """``status`` says that a drill runs, without its secret; after the repair ``check`` tells how it went, and ``progress`` keeps it."""
    netless("break", "forwarding-off", "--drill")
    netless("hint")
    during = netless("status").stdout
    assert "a drill, for " in during and "1 hint" in during and "forward" not in during
    assert "forwarding-off" not in netless("progress").stdout
    netless("exec", "host", "--", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    told = netless("check").stdout
    assert "healthy again, after " in told and "with 1 hint" in told and "It was: The host does not forward" in told
    assert "healthy again, after " in netless("status").stdout
    assert "taken away" not in netless("mend").stdout
    (line,) = (line for line in netless("progress").stdout.splitlines() if "forwarding-off" in line)
    assert "solved after " in line and "with 1 hint" in line
    (kept,) = (drill for drill in netless.json("progress")["drills"] if drill["fault"] == "forwarding-off")
    assert kept["result"] == "solved" and kept["hints"] == 1 and kept["seconds"] > 0


def test_leaving_an_exam_says_what_it_counts_as(netless: Cli) -> None:
    """``goto`` out of an exam ends it: said on stdout, kept as given up."""
    netless("break", "port-down", "--exam", "--node", "c2")
    assert "an exam, for " in netless("status").stdout
    told = netless("goto", "neighbour", "--end").stdout
    assert "ended the exam: it counts as given up" in told and "cable of c2" in told
    (line,) = (line for line in netless("progress").stdout.splitlines() if "exam" in line)
    assert "port-down in c2" in line and "given up after " in line


def test_the_result_travels(netless: Cli, tmp_path: Path) -> None:
    """Export and import take drills along; imported twice they count once."""
    netless("break", "forwarding-off", "--drill")
    netless("mend")
    kept = tmp_path / "kept.json"
    netless("progress", "export", str(kept))
    with own(tmp_path / "elsewhere") as other:
        for _ in range(2):
            other("progress", "import", str(kept))
            assert other.json("progress")["drills"] == json.loads(kept.read_text())["drills"] != []


def test_a_seed_is_reproducible_and_keeps_its_secret(netless: Cli) -> None:
    """The same seed breaks the same thing again; neither the text nor the document says what it is, before the mend does."""
    first = json.loads(netless("break", "--random", "--seed", "11", "--json").stdout)
    assert first["fault"]["id"] == "" and first["fault"]["seed"] == 11
    mended = json.loads(netless("mend", "--json").stdout)["mended"]
    second = netless("break", "--seed", "11")
    assert second.stdout.strip() == first["text"]
    title = next(fault["title"] for fault in json.loads(netless("faults", "--json").stdout) if fault["id"] == mended)
    assert title not in second.stdout + second.stderr
    assert json.loads(netless("mend", "--json").stdout)["mended"] == mended


def test_an_unknown_fault_offers_the_nearest(netless: Cli) -> None:
    """Exit code 2 and the names that were perhaps meant."""
    done = netless("break", "port-dwn", code=2)
    assert "port-down" in done.stderr


def test_an_exam_on_the_command_line(netless: Cli) -> None:
    """``--exam`` is a drill without help."""
    done = netless("break", "forwarding-off", "--exam")
    assert "exam" in done.stderr
    assert "exam" in netless("hint", code=1).stderr
    netless("mend")


def test_a_drill_asks_before_it_takes_something_away(netless: Cli) -> None:
    """Nobody is there to say yes: what goes is listed, nothing changes, and --yes does it. The way back promises the step, and no more."""
    netless("goto", "pair")
    netless("exec", "host", "--", "ip", "link", "add", "brx", "type", "bridge")
    refused = netless("break", "--random", "--drill", code=1)
    assert "brx is gone from the host" in refused.stderr and "--yes" in refused.stderr and "nothing was changed" in refused.stderr
    netless("exec", "host", "--", "ip", "link", "show", "brx")
    netless("break", "--random", "--drill", "--yes")
    netless("exec", "host", "--", "ip", "link", "show", "brx", code=1)
    told = netless("mend").stderr
    assert "`netless goto container/cable/pair` rebuilds the lab for the step you were at" in told
