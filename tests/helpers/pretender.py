"""A process that has the name of a lab and is no agent of ours: of another user, or of a netless from before there were rules for its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SCRIPT = """
import json, signal, socket, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX)
listener.bind(chr(0) + sys.argv[1])
listener.listen(8)
print("listens", flush=True)
while True:
    client, _ = listener.accept()
    try:
        with client, client.makefile("rb") as lines:
            hello = lines.readline()
            if "agrees" in sys.argv:
                client.sendall(hello)
                for line in lines:
                    client.sendall(b'{"type":"done","id":%d,"value":""}\\n' % json.loads(line)["id"])
            if "silent" in sys.argv:
                lines.read()
            client.sendall(b'{"type":"failed","id":0,"code":2,"text":"this lab speaks protocol 1","nearest":[]}\\n')
    except OSError:  # whoever called has hung up
        pass
"""


@contextmanager
def pretender(name: str, *manner: str, **popen: Any) -> Iterator[subprocess.Popen[bytes]]:
    """One that listens at this abstract name, reads the hello, refuses, and hangs up; it ends on SIGTERM.

    ``manner``: ``silent`` says nothing, ``agrees`` greets and agrees to everything and hangs up on nobody, ``deaf`` does not heed
    SIGTERM. ``popen`` says whose process it is.
    """
    words = [sys.executable, "-I", "-c", _SCRIPT, name, *manner]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd="/", **popen) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"listens\n"
            yield process
        finally:
            process.kill()
