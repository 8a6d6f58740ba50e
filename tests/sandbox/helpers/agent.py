"""A small agent for tests: the room, the pretend internet and containers as asked for, and a shell for whoever connects.

The room's argument is JSON: ``{"internet": true, "containers": ["c1"], "fail": ""}``. One request a connection, JSON on a line:
``{"sh": SCRIPT}`` runs it in the host, ``{"join": NODE}`` answers the way in, ``{"calm": 1}`` ends all other processes, ``{"end": 1}``
ends the room.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

from netless_lab.sandbox import container, internet, join, limits
from netless_lab.sandbox.boot import Room
from netless_lab.sandbox.find import is_ours
from netless_lab.sandbox.reaper import Reaper

ENTRY = "sandbox.helpers.agent:main"


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


async def _live(room: Room, asked: dict[str, Any]) -> None:
    reaper = Reaper(asyncio.get_running_loop())
    nodes = {"host": join.HOST_PID}
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
            done = subprocess.run(
                ["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
            )
        return {"code": done.returncode, "text": done.stdout.decode(errors="replace")}

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not is_ours(writer.get_extra_info("socket")):
            writer.close()
            return
        request = json.loads(await reader.readline())
        answer: Any = {}
        if "sh" in request:
            answer = await asyncio.to_thread(shell, request["sh"])
        elif "join" in request:
            node = request["join"]
            answer = {"argv": join.command(room.pid, nodes[node], room.limits), "env": join.environment(room.lab, node)}
        elif "calm" in request:
            answer = limits.end_others(frozenset(nodes.values()))
        elif "facts" in request:
            answer = {"pid": room.pid, "limits": str(room.limits), "notes": room.notes, "lab": room.lab}
        else:
            ended.set()
        writer.write(json.dumps(answer).encode())
        await writer.drain()
        writer.close()

    room.listener.setblocking(False)
    server = await asyncio.start_unix_server(client, sock=room.listener, limit=1 << 20)
    print("the agent is ready", file=sys.stderr, flush=True)
    room.ready()
    await ended.wait()
    server.close()
    if servers is not None:
        servers.close()
    os._exit(0)
