"""A whole running lab for tests: started as the product starts it, spoken to over its own protocol, watched by ip, nft and ping.

Witness commands run inside through the product's own door (``Entry``), but what they say comes from iproute2, nft and iputils.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from helpers.waiting import eventually
from netless_lab import join, labs
from netless_lab.client import Client, LabGone
from netless_lab.model.clearing import Clearing
from netless_lab.model.snapshot import Snapshot
from netless_lab.protocol import (
    Account,
    AgentMessage,
    Back,
    Check,
    Down,
    GetHistory,
    GetSnapshot,
    GetStatus,
    Goto,
    Hello,
    Judgement,
    Moved,
    Next,
    Reset,
    Run,
    Scope,
    Status,
    Subscribe,
    WhatGoes,
)


@dataclass(frozen=True)
class Entry:
    """The command line that takes a command after it and runs it in a node, and what to set for it."""

    argv: tuple[str, ...]
    env: dict[str, str]


class Running:
    """A lab with a client on it. Events that came while waiting are in ``events``."""

    def __init__(self, name: str, client: Client, events: list[AgentMessage]) -> None:
        self.name = name
        self.client = client
        self.events = events
        self._entries: dict[str, Entry] = {}

    def run(self, target: str | None = None, *, rest: bool = False) -> Judgement:
        """``netless run``"""
        return self.client.ask(Run(target, rest))

    def check(self, target: str | None = None) -> Judgement:
        """``netless check``"""
        return self.client.ask(Check(target))

    def goto(self, target: str, *, end: bool = False) -> Moved:
        """``netless goto``"""
        return self.client.ask(Goto(target, end))

    def reset(self, scope: Scope = "step") -> Moved:
        """``netless reset --yes``"""
        return self.client.ask(Reset(scope))

    def what_goes(self, scope: Scope = "step") -> Clearing:
        """What ``netless reset`` lists before it asks."""
        return self.client.ask(WhatGoes(scope))

    def back(self, *, force: bool = True) -> Moved:
        """``netless back --yes``, without ``force`` ``netless back``"""
        return self.client.ask(Back(force))

    def next(self, *, force: bool = False) -> Moved:
        """``netless next``, with ``force`` ``netless next --yes``"""
        return self.client.ask(Next(force))

    def history(self) -> Account:
        """``netless history``"""
        return self.client.ask(GetHistory())

    def status(self) -> Status:
        """``netless status``"""
        return self.client.ask(GetStatus())

    def snapshot(self) -> Snapshot:
        """``netless snapshot``"""
        return self.client.ask(GetSnapshot())

    def sh(self, command: str, node: str = "host", *, check: bool = True) -> str:
        """A command in a node, as ``netless exec`` runs it; what it printed."""
        entry = self.entry(node)
        done = subprocess.run([*entry.argv, "sh", "-c", command], env={**os.environ, **entry.env}, capture_output=True, text=True, timeout=30, check=False)
        if check:
            assert done.returncode == 0, f"{command} in {node}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def entry(self, node: str) -> Entry:
        """The way into a node, as the command line takes it."""
        return Entry(join.command(self.name, node), join.environment(self.name, node))

    def told(self, command: str, node: str = "host") -> Any:
        """The JSON a witness prints."""
        return json.loads(self.sh(command, node) or "[]")

    def pings(self, address: str, node: str = "c1") -> bool:
        """Whether iputils' ping gets an answer, given time while what was just built settles."""
        return eventually(lambda: "1 received" in self.sh(f"ping -n -c1 -W1 {address}", node, check=False))

    def links(self, node: str = "host") -> set[str]:
        """The names ``ip link`` shows."""
        return {link["ifname"] for link in self.told("ip -j link", node)}


@contextmanager
def running(name: str | None = None, **orders: Any) -> Iterator[Running]:
    """Start a lab, end it afterwards, and make sure that it is gone."""
    lab = name or f"test-{uuid.uuid4().hex[:12]}"
    sock = labs.connect(lab) or labs.start(lab, **orders)
    events: list[AgentMessage] = []
    client = Client(sock, Hello(client="test", lab=lab), events.append)
    client.ask(Subscribe())
    try:
        yield Running(lab, client, events)
    finally:
        with suppress(LabGone, OSError):
            client.ask(Down())
        client.close()
        assert eventually(lambda: labs.connect(lab) is None), "the lab did not end"
