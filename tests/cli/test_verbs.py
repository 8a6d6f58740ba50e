"""The command line as people and scripts use it: real processes, their output, and their exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from helpers.command_line import NO_LAB, Cli
from netless_lab import labs, protocol
from netless_lab.primitives.base import DIALECTS

pytestmark = pytest.mark.kernel


def test_status_without_a_lab_says_so(cli: Cli) -> None:
    """``status`` starts nothing: it says that no such lab runs and how to start one."""
    done = cli("status", code=NO_LAB)
    assert "not running" in done.stderr and "`netless up`" in done.stderr


def test_up_is_ready_and_status_has_what_scripts_need(netless: Cli) -> None:
    """``up`` returns when the lab is ready; ``status --json`` holds lab, agent_pid, mode, position and nodes with pid and netns inode."""
    netless("up")
    status = netless.json("status")
    assert {"lab", "agent_pid", "mode", "position", "nodes"} <= status.keys()
    names = {node["name"]: node for node in status["nodes"]}
    assert {"host", "internet", "c1"} <= names.keys()
    inode = int(netless("exec", "c1", "--", "stat", "-Lc", "%i", "/proc/self/ns/net").stdout)
    assert names["c1"]["netns"] == inode
    assert os.path.exists(f"/proc/{status['agent_pid']}")


def test_global_options_stand_before_or_after_the_verb(netless: Cli) -> None:
    """``--json status`` and ``status --json`` print the same document; so with --lab."""
    assert json.loads(netless("--json", "status").stdout)["lab"] == netless.lab
    assert netless.json("status", "--lab", netless.lab)["lab"] == netless.lab
    assert json.loads(netless("--lab", netless.lab, "status", "--json").stdout)["lab"] == netless.lab


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("chek",), "check"),
        (("goto", "container/cabel/plug"), "container/cable/plug"),
        (("goto", "internt"), "internet"),
        (("shell", "c9"), "c1"),
        (("exec", "hots", "--", "true"), "host"),
        (("ping", "c7", "10.0.0.1"), "c1"),
    ],
)
def test_unknown_names_get_the_nearest(netless: Cli, words: tuple[str, ...], meant: str) -> None:
    """An unknown verb, step or node ends with 2 and offers what was perhaps meant."""
    done = netless(*words, code=2)
    assert meant in done.stderr


def test_an_impossible_lab_name_is_refused(netless: Cli) -> None:
    """A lab name that cannot be is refused in words with 2."""
    assert "lab" in netless("--lab", "a/b", "up", code=2).stderr


def test_run_check_and_exit_codes(netless: Cli) -> None:
    """A step not done fails its check with 1 and a reason; done it passes with 0; stdout holds the result, stderr the narration."""
    netless("goto", "cable/pair")
    failing = netless("check", code=1)
    assert "expected:" in failing.stdout and "seen:" in failing.stdout and "look:" in failing.stdout
    done = netless("run")
    assert "ip link add name veth1" in done.stderr and "ip link add" not in done.stdout
    assert netless.json("check")["verdicts"][0]["verdict"]["result"] == "pass"


def test_next_asks_before_it_takes_anything_away(netless: Cli) -> None:
    """Not done: exit code 1, what is missing, what would go, the ways on, nothing changed; with --yes the lab is rebuilt for the next step."""
    netless("goto", "cable/pair")
    netless("exec", "host", "--", "ip", "link", "add", "keepme", "type", "bridge")
    refused = netless("next", code=1)
    assert refused.stdout == ""
    assert "after rebuilding the lab for the next step:\n  - keepme is gone from the host\n" in refused.stderr
    for said in ("`run`", "`goto container/cable/plug`", "--yes", "nothing was changed"):
        assert said in refused.stderr
    told = netless.json("next", code=1)
    assert told["code"] == 1 and any("keepme" in line for line in told["going"])
    assert netless.json("status")["position"] == "container/cable/pair"
    netless("exec", "host", "--", "ip", "link", "show", "keepme")
    netless("next", "--yes")
    assert netless.json("status")["position"] == "container/cable/plug"
    netless("exec", "host", "--", "ip", "link", "show", "keepme", code=1)


def test_on_a_terminal_next_asks(netless: Cli) -> None:
    """No, or only Enter, changes nothing and ends with 1; yes rebuilds."""
    netless("goto", "cable/pair")
    for answer, place, code in (("\n", "pair", 1), ("n\n", "pair", 1), ("y\n", "plug", 0)):
        assert "go on? [y/N]" in netless.on_a_terminal("next", answer=answer, code=code)
        assert netless.json("status")["position"] == f"container/cable/{place}"


def test_reset_twice(netless: Cli) -> None:
    """A reset lists what goes and wants a yes; the second says that there is nothing to reset."""
    netless("goto", "container/switch", "--end")
    refused = netless("--json", "reset", "lab", code=1)
    assert "br0" in refused.stderr and "--yes" in refused.stderr
    told = json.loads(refused.stdout)
    assert told["code"] == 1 and "wants a yes" in told["error"] and any("br0" in line for line in told["going"])
    netless("reset", "lab", "--yes")
    assert "nothing to reset" in netless("reset", "lab", "--yes").stdout.lower()


def test_exec_passes_the_exit_code_and_output(netless: Cli) -> None:
    """``exec`` is transparent: output, input and exit code are the command's own."""
    assert netless("exec", "host", "--", "sh", "-c", "cat; exit 7", stdin="hello", code=7).stdout == "hello"
    assert netless("exec", "c1", "hostname").stdout.strip() == "c1"


def test_ping_tells_what_became_of_it(netless: Cli) -> None:
    """``ping`` answers with 0 when a reply came and 1 when none did, and says why in words; a node's name stands for its address."""
    netless("goto", "container/switch", "--end")
    assert "answer" in netless("ping", "host", "c1").stdout
    lost = netless.json("ping", "c1", "198.51.100.10", code=1)
    assert lost["reason"] == "no-route" and lost["text"]
    netless("exec", "host", "--", "sh", "-ec", "for f in all default br0; do sysctl -qw net.ipv6.conf.$f.disable_ipv6=0; done; "
            "ip addr flush dev br0; ip addr add fd00::1/64 dev br0 nodad")  # fmt: skip
    netless("exec", "c1", "--", "sh", "-ec", "sysctl -qw net.ipv6.conf.veth1.disable_ipv6=0; ip addr flush dev veth1 scope global; "
            "ip addr add fd00::2/64 dev veth1 nodad")  # fmt: skip
    found = netless.json("ping", "host", "c1")
    assert found["probe"]["to"] == "fd00::2" and found["reason"] == "answered"
    netless("reset", "step", "--yes")


def test_a_ping_that_cannot_be_sent_is_no_verdict(netless: Cli) -> None:
    """An address that may be on any link goes nowhere: exit code 3, neither answered nor lost."""
    told = netless.json("ping", "host", "fe80::1", code=3)
    assert told["result"] == "error" and told["text"]
    assert netless("ping", "host", "fe80::1", code=3).stdout.strip() == told["text"]


def test_snapshot_and_diagram(netless: Cli, tmp_path: Path) -> None:
    """``snapshot --json`` has nodes with links, routes, neighbours, fdb, chains and sysctls; ``diagram`` draws them in every form."""
    netless("goto", "container/switch", "--end")
    nodes = {node["name"]: node for node in netless.json("snapshot")["nodes"]}
    link = next(link for link in nodes["host"]["links"] if link["name"] == "veth2")
    assert link["peer"] == {"node": "c1", "name": "veth1", "ifindex": link["peer"]["ifindex"]}
    assert {"kind", "ifindex", "up", "carrier", "mac", "mtu", "master", "addresses"} <= link.keys()
    assert {"routes", "neighbours", "fdb", "sysctls"} <= nodes["host"].keys()
    text = netless("diagram", "--width", "80", "--height", "20").stdout
    assert "veth1" in text and "br0" in text and "●" in text
    plain = netless("diagram", "--ascii", "--width", "80", "--height", "20").stdout
    assert plain.isascii() and "br0" in plain
    netless("diagram", "--svg", str(tmp_path / "lab.svg"))
    assert "<svg" in (tmp_path / "lab.svg").read_text()
    assert "br0" in netless("diagram", "--mermaid").stdout
    assert netless("diagram", "--dot").stdout.startswith(("graph", "digraph"))
    for form in ("mermaid", "dot"):
        assert netless.json("diagram", f"--{form}")[form].strip() == netless("diagram", f"--{form}").stdout.strip()


def test_an_svg_picture_goes_to_stdout(netless: Cli, tmp_path: Path) -> None:
    """``--svg -`` writes the picture, and nothing else, where a pipe can take it; no file of that name is made."""
    netless("goto", "container/switch", "--end")
    assert ElementTree.fromstring(netless("diagram", "--svg", "-").stdout).tag.endswith("svg")
    assert not Path("-").exists()
    assert "stdout" in netless("diagram", "--svg", "-", "--json", code=2).stderr


@pytest.mark.parametrize("target", ["300.1.1.1", "10.0.0", "10.0.0.1/24", "fd00::g", "1"])
def test_what_is_meant_as_an_address_is_not_looked_up_as_a_name(netless: Cli, target: str) -> None:
    """A mistyped address is called that, with the form it should have."""
    assert f"{target} is not an address: " in netless("ping", "host", target, code=2).stderr


@pytest.mark.parametrize(
    "words", ["break --exam --drill", "break forwarding-off --random", "break forwarding-off --seed 3", "diagram --mermaid --dot"]
)
def test_options_that_exclude_each_other_are_refused(netless: Cli, words: str) -> None:
    """Wrong usage, and nothing is broken by it."""
    netless(*words.split(), code=2)
    assert netless.json("status")["fault"] is None


def test_back_at_the_very_beginning_did_nothing(netless: Cli) -> None:
    """Exit code 1 and why; the step is still judged by itself."""
    netless("reset", "lab", "--yes")
    assert "beginning" in netless("back", code=1).stderr


def test_back_takes_nothing_else_away_unasked(netless: Cli) -> None:
    """What would go beside the last step is listed, exit code 1, and it is all there; ``--yes`` goes back. Of this step, a neighbour that is known,
    nothing stays that could be undone alone.
    """
    netless("goto", "container/neighbour/first-words")
    netless("exec", "host", "--", "ip", "link", "add", "mine", "type", "veth", "peer", "name", "other")
    netless("run")
    refused = netless("back", "--json", code=1)
    assert any("mine" in line for line in json.loads(refused.stdout)["going"]) and "--yes" in refused.stderr
    netless("exec", "host", "--", "ip", "link", "show", "mine")
    assert "Undone" in netless("back", "--yes").stdout
    netless("exec", "host", "--", "ip", "link", "show", "mine", code=1)


def test_labs_are_ones_own(netless: Cli) -> None:
    """It lists the labs of this user, and does not claim more."""
    assert netless.lab in netless("labs").stdout.split()
    assert netless.lab in netless.json("labs")
    assert "machine" not in netless("labs", "--help").stdout


def test_down_says_who_else_was_in_the_lab(cli: Cli) -> None:
    """A window or shell that has the lab open is counted; an idle lab ends without a word about others."""
    cli("up")
    with labs.connect(cli.lab) or pytest.fail("the lab is not there") as window:
        window.sendall(protocol.encode(protocol.Hello(client="app")))
        assert window.recv(4096)
        assert "1 other window or shell" in cli("down").stderr
    cli("up")
    assert "other" not in cli("down").stderr
    cli("up")
    with labs.connect(cli.lab) or pytest.fail("the lab is not there") as window:
        window.sendall(protocol.encode(protocol.Hello(client="app")))
        assert window.recv(4096)
        assert cli.json("down")["others"] == 1


def test_import_refuses_by_name_what_no_course_has(cli: Cli, tmp_path: Path) -> None:
    """The rest counts; a file of which nothing is known changes nothing, with 2."""
    step = {"earned": 5.0, "by_hand": 1}
    mixed = {"container": {"steps": {"cable/pair": step, "cable/gone": step}, "position": "cable/gone"}, "foo": {"steps": {"a/b": step}}}
    (tmp_path / "mixed.json").write_text(json.dumps({"format": 1, "courses": mixed}))
    (tmp_path / "foreign.json").write_text(json.dumps({"format": 1, "courses": {"foo": mixed["foo"]}}))
    told = cli("progress", "import", str(tmp_path / "mixed.json")).stderr
    assert "container/cable/gone" in told and "foo/a/b" in told
    shown = cli("progress").stdout
    assert "container: 1 step earned" in shown and "cable/pair" in shown and "foo" not in shown and "gone" not in shown
    assert "foo/a/b" in cli("progress", "import", str(tmp_path / "foreign.json"), code=2).stderr
    assert cli("progress").stdout == shown
    assert cli.json("progress", "import", str(tmp_path / "mixed.json"))["refused"] == ["container/cable/gone", "foo/a/b"]


def test_import_into_a_running_lab_is_refused_with_the_way(netless: Cli, tmp_path: Path) -> None:
    """It names the lab, and the command that ends it."""
    kept = tmp_path / "kept.json"
    netless("progress", "export", str(kept))
    refused = netless("progress", "import", str(kept), code=2).stderr
    assert f"the lab {netless.lab} is running" in refused and "`netless down`" in refused


def test_progress_says_who_earned_a_step(netless: Cli) -> None:
    """``goto --end`` and ``run`` are the tutor's doing, in words and in the document."""
    netless("reset", "lab", "--yes")
    netless("goto", "netless/decoy", "--end")
    (line,) = (line for line in netless("progress").stdout.splitlines() if "● netless/decoy" in line)
    assert "by the tutor" in line
    step = netless.json("progress")["courses"]["container"]["steps"]["netless/decoy"]
    assert step["by_tutor"] == 1 and "by_hand" not in step


def test_progress_travels(netless: Cli, cli: Cli, tmp_path: Path) -> None:
    """Progress exported here and imported in another lab counts there."""
    netless("goto", "cable/pair")
    netless("run")
    kept = tmp_path / "progress.json"
    netless("progress", "export", str(kept))
    cli("progress", "import", str(kept))
    assert "cable/pair" in cli("progress").stdout
    cli("up")
    steps = [step for lesson in cli.json("status")["course"]["lessons"] for step in lesson["steps"] if step["earned"]]
    assert any(step["id"] == "pair" for step in steps)


def test_a_new_lab_names_the_difference(netless: Cli) -> None:
    """After the lab was lost, the progress stands at the step and says that the kernel is new; ``run`` rebuilds first (A6, D1)."""
    netless("goto", "switch/bridge")
    netless("run")
    netless("next")
    netless("down")
    status = netless.json("status", code=NO_LAB)
    assert status["running"] is False
    netless("up")
    status = netless.json("status")
    assert status["position"] == "container/switch/port"
    assert any("new" in notice for notice in status["notices"])
    assert "br0" not in netless("exec", "host", "ip", "-br", "link").stdout
    assert netless.json("run")["verdicts"][0]["verdict"]["result"] == "pass"


def test_lint_refuses_a_check_that_cannot_fail(netless: Cli, tmp_path: Path) -> None:
    """A step whose check passes before anything is done is refused with file and line; a 16-character name is told in words (B7)."""
    (tmp_path / "course.toml").write_text(
        'format = 1\nid = "mine"\ntitle = "Mine"\nabout = "Mine."\nlessons = ["one"]\n[world]\ncontainers = ["c1"]\n'
    )
    page = """+++
format = 1
id = "one"
title = "One"
+++
An introduction.

## Look at the uplink

It is there already.

```toml step
id = "idle"
do = [{ up = "eth0", in = "host" }]
expect = [{ up = "eth0", in = "host" }]
hint = ["Look."]
```
"""
    (tmp_path / "01-one.md").write_text(page)
    done = netless("lint", str(tmp_path), code=2)
    assert "01-one.md:" in done.stdout and "passes before anything is done" in done.stdout
    (tmp_path / "01-one.md").write_text(page.replace("eth0", "a-very-long-name"))
    assert "15" in netless("lint", "--static", str(tmp_path), code=2).stdout


GATE = """+++
format = 1
id = "gate"
title = "A gate"
+++
Two steps, one on top of the other.

## Shut it

Nothing passes.

```toml step
id = "shut"
do = [{ forward-policy = "drop" }]
expect = [{ forward-policy = "drop" }]
hint = ["Look at the policy."]
```

## Open it a little

What comes from the uplink passes.

```toml step
id = "open"
do = [{ forward-accept = "eth0" }]
expect = [{ forward-accept = "eth0" }]
hint = ["Look at the chain."]
```
"""


def test_lint_proves_good_steps_in_every_dialect(netless: Cli, tmp_path: Path) -> None:
    """Each fails before, passes after, and fails again once it was taken back; with iptables too, whose rules open no gate that nft has shut."""
    (tmp_path / "course.toml").write_text(
        'format = 1\nid = "mine"\ntitle = "Mine"\nabout = "Mine."\nlessons = ["gate"]\n[world]\ncontainers = []\n'
    )
    (tmp_path / "01-gate.md").write_text(GATE)
    (course,) = netless.json("lint", str(tmp_path))["courses"]
    assert (course["proven"], course["problems"]) == (["mine/gate/shut", "mine/gate/open"], [])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_run_does_what_the_command_of_its_dialect_does(netless: Cli, dialect: str) -> None:
    """ifconfig(8) switches a link on with its address, ip(8) and netlink do not; what was done so stands in the history."""
    netless("goto", "switch/gateway")
    done = netless("run", "--dialect", dialect)
    shown = {"ip": "ip addr add 10.0.0.1/24", "legacy": "ifconfig br0 10.0.0.1/24", "pyroute2": "ipr.addr("}[dialect]
    assert shown in done.stdout + done.stderr
    link = json.loads(netless("exec", "host", "--", "ip", "-j", "link", "show", "br0").stdout)[0]
    assert ("UP" in link["flags"]) is (dialect == "legacy")
    script = netless("history", "--script").stdout.rsplit("the lab was rebuilt for the start of", 1)[1]
    assert ("ip link set br0 up" in script) is (dialect == "legacy")
