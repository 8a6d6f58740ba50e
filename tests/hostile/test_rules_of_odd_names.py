"""Tables, chains, sets and comments of rules may be called anything by who talks to the kernel without nft(8): what is written down does nothing else."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from helpers.sandboxed import sandboxed, sh
from helpers.wires import own_node
from netless_lab.kernel.read import Reader
from netless_lab.model.diff import diff
from netless_lab.primitives.base import Where, nft_word
from netless_lab.primitives.retell import retell

OWNED = "add table inet owned"


def rule(*, table: str = "t", chain: str = "c", says: object = None, target: str = "", comment: str = "") -> list[dict[str, object]]:
    """What nft is told in JSON, where a name is a string (libnftables-json(5))."""
    at = {"family": "inet", "table": table}
    says = {"jump": {"target": target}} if target else says or {"accept": None}
    said = {**at, "chain": chain, "expr": [says], **({"comment": comment} if comment else {})}
    chains: list[dict[str, object]] = [{"add": {"chain": {**at, "name": name}}} for name in (target, chain) if name]
    return [{"add": {"table": {"family": "inet", "name": table}}}, *chains, {"add": {"rule": said}}]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(rule(comment=f'x" ; {OWNED} ; #'), id="comment"),
        pytest.param(rule(comment=f'x"\n{OWNED}\n#'), id="comment of lines"),
        pytest.param(rule(table=f"t;nft {OWNED};"), id="table"),
        pytest.param(rule(chain=f"c;nft {OWNED};"), id="chain"),
        pytest.param(rule(target=f"d; {OWNED}; #"), id="target"),
        pytest.param(rule(says={"log": {"prefix": f'x" ; {OWNED} ; #'}}), id="prefix"),
    ],
)
@sandboxed
def test_a_rule_that_is_told_again_is_that_rule(made: list[dict[str, object]]) -> None:
    """The commands that tell of a rule, typed by somebody who reads the script, make its own table at most."""
    here, reader = [own_node()], Reader()
    before = reader.snapshot(here)
    subprocess.run(["nft", "-j", "-f", "-"], input=json.dumps({"nftables": made}), text=True, check=True)
    after = reader.snapshot(here)
    assert after != before
    where = Where("host")
    told = [doing for own in retell(diff(before, after), before, after) for doing in own.doings or ()]
    sh("nft flush ruleset")
    for doing in told:
        subprocess.run(["sh", "-c", "\n".join(doing.commands("ip", where))], capture_output=True, check=False)
    names = {entry["table"]["name"] for entry in json.loads(sh("nft -j list tables"))["nftables"] if "table" in entry}
    assert names <= {"t"}


@sandboxed
def test_a_label_of_an_address_is_no_command() -> None:
    """An address may be labelled with anything that the kernel has room for: told again, that is its label and nothing else."""
    here, reader = [own_node()], Reader()
    sh("ip link add d0 type bridge")
    before = reader.snapshot(here)
    sh("ip addr add 10.0.0.1/24 dev d0 label 'd0:;>/tmp/x;'")
    after = reader.snapshot(here)
    told = [doing for own in retell(diff(before, after), before, after) for doing in own.doings or ()]
    sh("ip addr flush dev d0")
    for doing in told:
        subprocess.run(["sh", "-c", "\n".join(doing.commands("ip", Where("host")))], capture_output=True, check=False)
    assert not os.path.exists("/tmp/x")
    (link,) = json.loads(sh("ip -j addr show d0"))
    assert [own["label"] for own in link["addr_info"] if own["family"] == "inet"] == ["d0:;>/tmp/x;"]


@pytest.mark.parametrize("name", ["a;b", "x#y", "{", "a\\", "$(id)", "lo,b", "e*"])
@sandboxed
def test_a_chain_of_a_device_is_told_again(name: str) -> None:
    """Its device may be called anything that a quote does not end: alone, and beside another."""
    here, reader = [own_node()], Reader()
    before = reader.snapshot(here)
    subprocess.run(["ip", "link", "add", "name", name, "type", "bridge"], check=True)
    made = ["add table netdev t"]
    for own, devices in (("one", f'"{name}"'), ("two", f'"{name}", lo')):
        made.append(f"add chain netdev t {own} {{ type filter hook ingress devices = {{ {devices} }} priority 5; }}")
    subprocess.run(["nft", "; ".join(made)], check=True)
    listed = sh("nft list ruleset")
    after = reader.snapshot(here)
    told = [doing for own in retell(diff(before, after), before, after) for doing in own.doings or ()]
    sh("nft flush ruleset")
    subprocess.run(["ip", "link", "del", "dev", name], check=True)
    for doing in told:
        subprocess.run(["sh", "-e", "-c", "\n".join(doing.commands("ip", Where("host")))], check=True)
    assert sh("nft list ruleset") == listed


@pytest.mark.parametrize("name", ["e*", "e*x", "$(id)", "a;b#", "a\\"])
@sandboxed
def test_a_shown_rule_is_about_that_device(name: str) -> None:
    """The device with just this name, and not all whose names begin like it."""
    subprocess.run(["nft", f"add table ip t; add chain ip t c; add rule ip t c iifname {nft_word(name)} accept"], check=True)
    (compared,) = (line for line in sh("nft --debug=netlink list ruleset").splitlines() if "cmp eq reg 1" in line)
    asked = b"".join(int(word, 16).to_bytes(4, "little") for word in compared.partition("reg 1 ")[2].strip(" ]").split())
    assert asked == name.encode().ljust(16, b"\0")


@pytest.mark.parametrize("name", ["e*", "*", "e*x", "a;b#", "e"])
@pytest.mark.parametrize("asks", ["iifname {}", "iifname {{ {}, \"lo\" }}", "iifname . th dport {{ {} . 80 }}"])
@sandboxed
def test_a_rule_about_a_device_is_told_again(name: str, asks: str) -> None:
    """About the one of just this name, also where a star is its end (which nft's own list of a set does not tell apart): the kernel has the same."""
    here, reader = [own_node()], Reader()
    before = reader.snapshot(here)
    subprocess.run(["nft", f"add table ip t; add chain ip t c; add rule ip t c meta l4proto tcp {asks.format(nft_word(name))} accept"], check=True)
    after, listed = reader.snapshot(here), sh("nft --debug=netlink list ruleset")
    assert nft_word(name) in after.nodes[0].chains[0].rules[0].text
    told = [doing for own in retell(diff(before, after), before, after) for doing in own.doings or ()]
    sh("nft flush ruleset")
    for doing in told:
        subprocess.run(["sh", "-e", "-c", "\n".join(doing.commands("ip", Where("host")))], check=True)
    assert [line.split()[1:] for line in sh("nft --debug=netlink list ruleset").splitlines() if "0x" in line] == [
        line.split()[1:] for line in listed.splitlines() if "0x" in line
    ]
