"""Tables, chains and links may be called anything by who talks to the kernel without nft(8) and ip(8): no command of Why does anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from shlex import quote

import pytest

from helpers.broken import SITE, START, ping
from helpers.running import Running, running
from netless_lab.protocol import Explain

pytestmark = pytest.mark.kernel
OWNED = "add table inet owned"
NAMES = {
    "a table": ("t;nft " + OWNED + ";", "c"),
    "a chain": ("t", "c;nft " + OWNED + ";"),
    "a chain that nft itself takes apart": ("t", "c; " + OWNED),
    "plain ones": ("t", "c"),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for all."""
    with running() as own:
        yield own


@pytest.mark.parametrize("what", NAMES)
def test_what_is_typed_of_an_explanation_makes_nothing(lab: Running, what: str) -> None:
    """A rule under an odd name drops the packet: the cause is named, and its commands, typed, make no table of their own."""
    table, chain = NAMES[what]
    lab.goto(START, end=True)
    at = {"family": "inet", "table": table}
    hook = {"type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}
    said = [{"add": {"table": {"family": "inet", "name": table}}}, {"add": {"chain": {**at, "name": chain, **hook}}},
            {"add": {"rule": {**at, "chain": chain, "expr": [{"counter": None}, {"drop": None}]}}}]  # fmt: skip
    lab.sh(f"echo {quote(json.dumps({'nftables': said}))} | nft -j -f -")
    told = lab.client.ask(Explain(probe=ping(SITE)))
    assert told.code == "forward-rule", told
    commands = [line for line in (*(fact.look for fact in told.facts), told.fix) if line]
    for line in commands:
        lab.sh(line, check=False)
    tables = [entry["table"]["name"] for entry in json.loads(lab.sh("nft -j list tables"))["nftables"] if "table" in entry]
    assert "owned" not in tables, commands
    assert (told.fix != "") == (what == "plain ones"), commands
