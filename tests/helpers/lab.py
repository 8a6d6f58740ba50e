"""A little lab for tests, to be used inside ``@sandboxed``: host, internet and the container c1, without session, agent or screen.

Actions are done by the product's Applier or typed, in any dialect, as a learner would; nodes that come about by hand are the ones that the
product's Discovery finds. What starts and ends the lab's own is all there is here beside the ``PretendHost`` of the lab's ground, which needs a
loop and the reaper of an agent: a test waits for a process itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

# pyroute2 is imported here, before the sandbox is forked: importing it takes 0.15 s, in each sandbox anew
import pyroute2  # noqa: F401

from netless_lab.kernel.apply import Applier
from netless_lab.kernel.beginning import begin
from netless_lab.kernel.discover import Discovery
from netless_lab.kernel.namespace import Namespace
from netless_lab.kernel.purge import purge
from netless_lab.kernel.read import NodeRef, Reader
from netless_lab.kernel.sweep import Sweep
from netless_lab.model.snapshot import Role, Snapshot
from netless_lab.primitives.base import Action, Dialect, Expectation, Where
from netless_lab.primitives.registry import ACTIONS, EXPECTATIONS
from netless_lab.sandbox import container, internet
from netless_lab.sandbox.rootfs import CONTAINERS, EMPTY_RESOLV_CONF
from netless_lab.session.pages import where_of

Table = dict[str, Any]
"""An action or expectation as a lesson writes it."""


def action(table: Table) -> Action:
    """``{"up": "veth1", "in": "c1"}`` as an Action."""
    return msgspec.convert(table, ACTIONS[next(iter(table))])


def expectation(table: Table) -> Expectation:
    """``{"up": "veth1", "in": "c1"}`` as an Expectation."""
    return msgspec.convert(table, EXPECTATIONS[next(iter(table))])


class Lab:
    """Use ``with lab() as own``."""

    def __init__(self) -> None:
        os.makedirs(CONTAINERS, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/etc/resolv.conf")
        with open("/etc/resolv.conf", "w", encoding="ascii") as file:
            file.write(EMPTY_RESOLV_CONF)
        self._net = internet.build()
        self._own: dict[str, NodeRef] = {"host": NodeRef("host", "host", Namespace.own(), os.getpid())}
        self._add("internet", self._net.node.pid, "internet")
        self.launch("c1")
        self._applier = Applier(lambda name: self.refs()[name], self)
        self._reader = Reader()
        self._discovery = Discovery()
        self.beginning = begin(tuple(self.refs().values()), self.snapshot())

    def launch(self, name: str) -> NodeRef:
        """Start a container."""
        return self._own.get(name) or self._add(name, container.launch(name).pid, "container")

    def stop(self, name: str) -> None:
        """End a container, whoever started it."""
        pid = self.refs()[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        while name in self.refs():
            time.sleep(0.001)

    def _add(self, name: str, pid: int, role: Role) -> NodeRef:
        self._own[name] = NodeRef(name, role, Namespace.of_pid(pid), pid)
        return self._own[name]

    def refs(self) -> dict[str, NodeRef]:
        """Every node: those of the lab that live, then what the product discovers, as it calls it."""
        self._own = {name: ref for name, ref in self._own.items() if ref.pid is not None and _alive(ref.pid)}
        return {ref.name: ref for ref in self._discovery.scan(tuple(self._own.values()))}

    def snapshot(self) -> Snapshot:
        """Every node, now."""
        return self._reader.snapshot(tuple(self.refs().values()))

    def where(self, node: str = "host", *, names: bool = True) -> Where:
        """How commands reach the nodes from the shell of ``node``; with ``names`` false only by process."""
        where = where_of(self.snapshot(), node)
        return where if names else msgspec.structs.replace(where, names={})

    def do(self, *tables: Table) -> None:
        """By the Applier."""
        self._applier.apply_all([action(table) for table in tables])

    def apply(self, *actions: Action) -> None:
        """By the Applier."""
        self._applier.apply_all(actions)

    def type(self, wanted: Action, dialect: Dialect, where: Where) -> None:
        """By hand: the action's own lines, in the shell of ``where.node``, or as one Python program. Fails as they fail."""
        lines = wanted.commands(dialect, where)
        if dialect == "pyroute2":
            self._python("\n".join(lines))
        else:
            self.shell(where.node, "\n".join(lines))

    def shell(self, node: str, script: str) -> str:
        """A script at a node's own prompt."""
        pid = self.refs()[node].pid
        enter = [] if node == "host" else ["nsenter", "-t", str(pid), "-n", "-m", "-u", "-i"]
        with open("/tmp/said", "w+", encoding="utf-8") as said:
            status = subprocess.run([*enter, "sh", "-e"], input=script, text=True, stdout=said, stderr=said, check=False).returncode
            said.seek(0)
            text = said.read()
        assert status == 0, f"exit {status} of:\n{script}\n{text}"
        return text

    def _python(self, program: str) -> None:
        """In a child that has pyroute2 imported already; what a failing program prints goes to the test's own output."""
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(SystemExit):
                try:
                    exec(compile(program, "<typed>", "exec"), {})
                    status = 0
                except Exception as error:
                    print(f"{error!r} of:\n{program}", flush=True)
            os._exit(status)
        _, status = os.waitpid(child, 0)
        assert status == 0, f"the program failed:\n{program}"

    def purge(self, begun: Sweep | None = None) -> tuple[str, ...]:
        """Back to the beginning: containers beside c1 ended, c1 running, everything else as it was; ``begun`` are links that go already."""
        for name, ref in self.refs().items():
            if ref.role == "container" and name != "c1":
                self.stop(name)
        self.launch("c1")
        return purge(tuple(self.refs().values()), self.beginning, begun=begun)

    def close(self) -> None:
        """Let go of sockets and processes."""
        self._applier.close()
        self._reader.close()
        self._discovery.close()


def _alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except OSError:
        return False


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab for one test."""
    own = Lab()
    try:
        yield own
    finally:
        own.close()


def told(own: Lab, node: str, command: str) -> Any:
    """What a tool with ``-j`` says inside a node: the independent witness."""
    pid = own.refs()[node].pid
    done = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *command.split()], capture_output=True, text=True, check=True)
    return json.loads(done.stdout or "[]")
