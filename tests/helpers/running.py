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

import msgspec

from helpers.waiting import eventually
from netless_lab import join, labs
from netless_lab.client import Client, LabGone
from netless_lab.protocol import (
    AgentMessage,
    Back,
    Check,
    Down,
    GetSnapshot,
    GetStatus,
    Goto,
    Hello,
    Next,
    Reset,
    Run,
    Status,
    Subscribe,
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

    def run(self, target: str | None = None, *, rest: bool = False) -> dict[str, Any]:
        """``netless run``"""
        answer: dict[str, Any] = self.client.ask(Run, target=target, rest=rest)
        return answer

    def check(self, target: str | None = None) -> dict[str, Any]:
        """``netless check``"""
        answer: dict[str, Any] = self.client.ask(Check, target=target)
        return answer

    def goto(self, target: str, *, end: bool = False) -> dict[str, Any]:
        """``netless goto``"""
        answer: dict[str, Any] = self.client.ask(Goto, target=target, end=end)
        return answer

    def reset(self, scope: str = "step", *, dry: bool = False) -> dict[str, Any]:
        """``netless reset``"""
        answer: dict[str, Any] = self.client.ask(Reset, scope=scope, dry=dry)
        return answer

    def back(self) -> dict[str, Any]:
        """``netless back``"""
        answer: dict[str, Any] = self.client.ask(Back)
        return answer

    def next(self, *, force: bool = False) -> dict[str, Any]:
        """``netless next``, with ``force`` ``netless next --yes``"""
        answer: dict[str, Any] = self.client.ask(Next, force=force)
        return answer

    def status(self) -> Status:
        """``netless status``"""
        return msgspec.convert(self.client.ask(GetStatus), Status)

    def snapshot(self) -> Any:
        """``netless snapshot --json``"""
        return self.client.ask(GetSnapshot)

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
    client.ask(Subscribe)
    try:
        yield Running(lab, client, events)
    finally:
        with suppress(LabGone, OSError):
            client.ask(Down)
            for _ in client.events():
                pass
        client.close()
        assert eventually(lambda: labs.connect(lab) is None), "the lab did not end"
