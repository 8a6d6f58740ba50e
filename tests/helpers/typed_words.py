"""What a shell makes of lines: the words of each command it comes to. To be used inside ``@sandboxed``: lines may write files.

Every tool is a stand-in that writes down how it was called. Those that start another command (nsenter(8), ``ip netns exec``, unshare(1),
setsid(1)) start it; ``sh`` and what a shell has built in are real.
"""

from __future__ import annotations

import os
import subprocess

_TOOLS = (
    "arp", "bridge", "brctl", "cat", "hostname", "ifconfig", "ip", "iptables", "kill", "ln", "ls", "lsns", "mkdir", "mount", "nft", "nsenter",
    "pid_of", "ps", "python3", "route", "setsid", "sleep", "stat", "sysctl", "touch", "unshare",
)  # fmt: skip
_STAND_IN = r"""#!/bin/sh
name=${0##*/}
{ printf '%s\0' "$name" "$@"; printf '\n\0'; } >>/tmp/words/said
case $name in
    nsenter | unshare | setsid)
        while :; do case $1 in -t) shift 2 ;; -*) shift ;; *) break ;; esac; done
        exec "$@" ;;
    ip) [ "$1 $2" != 'netns exec' ] || { shift 3; exec "$@"; } ;;
    pid_of) echo 77 ;;
    sysctl) echo 0 ;;
esac
"""
_END = "\n"
"""No word of a line is this one."""


def words(script: str) -> list[list[str]]:
    """How each tool was called by a shell that read this, in order; and of a shell that stumbled, what it said."""
    os.makedirs("/tmp/words/here", exist_ok=True)
    if not os.path.exists("/tmp/words/sleep"):
        for tool in _TOOLS:
            with open(f"/tmp/words/{tool}", "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o755)) as file:
                file.write(_STAND_IN)
    with open("/tmp/words/said", "wb"):
        pass
    # a shell stands in for nobody: what it has built in (kill) is hidden by a function
    typed = f'kill() {{ command /tmp/words/kill "$@"; }}\n{script}\nwait'
    path = {**os.environ, "PATH": f"/tmp/words:{os.environ['PATH']}"}
    ended = subprocess.run(["sh", "-e"], input=typed.encode("utf-8", "surrogateescape"), capture_output=True, cwd="/tmp/words/here", env=path, check=False)
    with open("/tmp/words/said", "rb") as file:
        said = file.read().decode("utf-8", "surrogateescape").split("\0")[:-1]
    calls: list[list[str]] = [[]]
    for word in said:
        if word == _END:
            calls.append([])
        else:
            calls[-1].append(word)
    stumbled = [["sh said", ended.stderr.decode("utf-8", "replace")]] if ended.stderr else []
    return calls[:-1] + stumbled


def left_behind() -> list[str]:
    """The files that the lines made where they ran."""
    return os.listdir("/tmp/words/here")
