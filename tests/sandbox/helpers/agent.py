"""A small agent for tests: the room, the pretend internet and containers as asked for, and a shell for whoever connects.

The room's argument is JSON: ``{"internet": true, "containers": ["c1"], "fail": ""}``. One request a connection, JSON on a line:
``{"sh": SCRIPT}`` runs it in the host, ``{"calm": 1}`` ends all other processes, ``{"end": 1}``
ends the room. Who asks for a node (``way``) gets it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

from netless_lab.room import SOCKET
from netless_lab.sandbox import container, internet, limits, way
from netless_lab.sandbox.callers import Callers
from netless_lab.sandbox.pid1 import Room
from netless_lab.sandbox.reaper import Reaper
from netless_lab.sandbox.spaces import Spaces

ENTRY = "sandbox.helpers.agent:main"
AHEAD = "sandbox.helpers.agent:look_ahead"


def look_ahead(argument: str) -> bytes:
    """What is made ahead of a test's room: who makes it, what is in its /tmp, and so many bytes that they fill no pipe."""
    if json.loads(argument).get("fail") == "ahead":
        raise LookupError("nothing to be made")
    return json.dumps({"pid": os.getpid(), "uid": os.geteuid(), "tmp": os.listdir("/tmp"), "argument": argument, "much": "x" * (1 << 20)}).encode()


def main(room: Room) -> None:
    """PID 1 of a test's room."""
    asked: dict[str, Any] = json.loads(room.argument or "{}")
    if asked.get("fail") == "raise":
        raise RuntimeError("on purpose")
    if asked.get("fail") == "kill":
        os.kill(os.getpid(), signal.SIGABRT)  # ignored: nobody inside can kill PID 1
        os.abort()
    if asked.get("fail") == "exit":
        sys.exit(0)
    if asked.get("fail") == "wait":
        signal.pause()  # it never becomes ready
    asyncio.run(_live(room, asked))


def read_link(path: str) -> str:
    """Where a link leads, "" for one that is gone by now."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


async def _live(room: Room, asked: dict[str, Any]) -> None:
    reaper = Reaper(asyncio.get_running_loop())
    nodes = {"host": os.getpid()}
    servers = None
    if asked.get("internet"):
        built = internet.build()
        servers = await built.serve()
        nodes["internet"] = built.node.pid
    for name in asked.get("containers", ()):
        nodes[name] = container.launch(name).pid
        reaper.watch(nodes[name], lambda code: None)
    ended = asyncio.Event()

    def shell(script: str) -> dict[str, Any]:
        with reaper.hands_off():
            done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
        return {"code": done.returncode, "text": done.stdout.decode(errors="replace")}

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if not line:  # somebody who only looked whether there is a lab
            writer.close()
            return
        if way.is_request(line):
            show_the_way(line, writer)
            return
        request = json.loads(line)
        answer: Any = {}
        if "sh" in request:
            answer = await asyncio.to_thread(shell, request["sh"])
        elif "calm" in request:
            answer = limits.end_others(frozenset(nodes.values()))
        elif "facts" in request:
            files = {int(name): read_link(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}
            facts = {"limits": str(room.limits), "notes": room.notes, "lab": room.lab, "ahead": room.ahead.decode()}
            answer = facts | {"pid": room.pid, "files": files, "passed": room.files, "cwd": os.getcwd()}
        else:
            ended.set()
        writer.write(json.dumps(answer).encode())
        await writer.drain()
        writer.close()

    def show_the_way(line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            pid = nodes[way.asked(line)]
            with Spaces(pid, os.stat(f"/proc/{pid}/ns/net").st_ino, room.outer) as spaces, writer.get_extra_info("socket").dup() as sock:
                files = spaces.files
                socket.send_fds(sock, [way.answer(way.Way(tuple(files), "", room.limits.for_visitors))], list(files.values()))
        except (FileNotFoundError, ProcessLookupError):
            writer.write(way.refusal("its process has ended"))
        writer.close()

    async def converse(sock: socket.socket) -> None:
        await client(*await asyncio.open_unix_connection(sock=sock, limit=1 << 20))

    callers = Callers(asyncio.get_running_loop(), room.callers, room.words)
    tasks = set()

    def welcome(sock: socket.socket) -> None:
        tasks.add(asyncio.create_task(converse(sock)))

    callers.begin(welcome, lambda reason: ended.set())
    inner = await asyncio.start_unix_server(client, path=SOCKET)
    print("the agent is ready", file=sys.stderr, flush=True)
    room.ready()
    await ended.wait()
    inner.close()
    await callers.shut()
    if servers is not None:
        servers.close()
    os._exit(0)
