"""Records what real programs print to a terminal: ``python tests/terminal/record.py`` writes the files of ``captures/``.

Run by hand, when a capture is to be added or made anew; the tests only read the files.  Every program runs on a pseudo-terminal of
80x24 in namespaces of its own (pretend hostname, own processes, own network), so no name of the recording machine gets in.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

from netless.vt import Terminal

COLUMNS, ROWS = 80, 24
CAPTURES = Path(__file__).parent / "captures"
LIMIT = 60_000
_ALONE = "hostname host; mount -t tmpfs none /home; cd /home; export HOME=/home PS1='host:\\w# ' LESSHISTFILE=- LS_COLORS=; "
_CHINESE = (
    "容器没有网络时，只有一个回环接口 lo。\n我们用一根 veth 虚拟网线，把容器接到网桥 br0 上：一头在容器里，另一头在主机上。\n"
    "地址 10.0.0.2/24 属于容器；网关 10.0.0.1 属于网桥。ＡＢＣ 全角，ｶﾅ 半角，한국어，é 与 e\u0301。\n\n"
    "│ 表格 │ 值 │\n├──────┼────┤\n│ 端口 │ 80 │\n"
) * 6  # fmt: skip


class Take(NamedTuple):
    """One recording: a shell line, then keys with a pause of ``pause`` seconds before each (the first waits for the program)."""

    name: str
    line: str
    keys: tuple[str, ...] = ()
    pause: float = 0.3


_NETWORK = (
    "ip link add br0 type bridge; ip link add veth1 type veth peer name veth2; ip link set veth2 master br0 up; ip link set br0 up; "
    "ip addr add 10.0.0.1/24 dev br0; ip link set lo up; "
)
_SHELL_KEYS = (
    "ls -l /etc/host", "\t\t", "name", "\x01", "time ", "\x05\r", "echo one two three", "\x1bb\x1bb", "X\x1bd", "\x17\x19", "\r",
    "\x10\x10", "\x12host", "\r", "for i in 1 2; do\recho $i\rdone\r", "x" * 100, "\x02" * 60, "yy", "\x0b", "\x15",
    "echo 中文" + "字" * 40,
    "\x02" * 20 + "\x7f\x7f", "\r",
)  # fmt: skip
_LESS_KEYS = (" ", " ", "b", "/77\r", "n", "G", "-S\r", "kkkk", "1G", "jjj", "&9\r")
_VIM_KEYS = (
    ":set number hlsearch ruler laststatus=2\r", "/veth\r", "iinserted 中文 text\x1b", "ddp3J", "\x06", "\x06", ":vsplit\r",
    "GO" + "wide 宽 " * 20 + "\x1b", ":split\r", "\x17j\x17l", "ggVjjd", "u", ":%s/line/LINE/\r", "\x02", "zz",
)  # fmt: skip
_LONG_LINES = "seq -f 'line %g of a page that is long enough to be seen in less, with words enough to be folded' 500 >t; "
_TEXT_FILE = "printf %s \"$TEXT\" >t; seq -f 'line %g' 60 >>t; "

TAKES = (
    Take("ls", "ls -laR --color=always /usr/share/doc/b* | head -400"),
    Take("ip", _NETWORK + "for n in 1 2 3; do ip -c addr; ip -c route; ip -c -s link; done"),
    Take("chinese", "printf %s \"$TEXT\"; printf %s \"$TEXT\" | sed -E 's/.{23}/&\\n/g'"),
    Take("rainbow", "exec $PYTHON -c \"$RAINBOW\""),
    Take("bash", "exec bash --norc -i", _SHELL_KEYS),
    Take("less", _LONG_LINES + "exec less t", _LESS_KEYS),
    Take("vim", _TEXT_FILE + "exec vim -u NONE -N t", _VIM_KEYS),
    Take("top", "exec top -d 0.5", ("1", "c", "z", "x", "?", "\x1b", "b"), 0.7),
    Take("htop", "exec htop -d 5", ("\x1b[B", "t", "\x1bOQ", "\x1b[B\x1b[B", "\x1b", "h", " "), 0.7),
)

_RAINBOW = """
import math, sys
out = sys.stdout.write
for frame in range(2):
    out("\\x1b[H" if frame else "\\x1b[2J\\x1b[H")
    for y in range(22):
        for x in range(0, 80, 4):
            r, g, b = (int(127 + 127 * math.sin((x + y * 2 + frame * 9) / 17 + part)) for part in (0, 2, 4))
            out(f"\\x1b[38;2;{r};{g};{b}m\\x1b[48;2;{b // 3};{r // 3};{g // 3}mnet~")
        out("\\x1b[0m\\x1b[K\\r\\n")
out("\\x1b[1;38:2::255:120:0mend\\x1b[0m \\x1b[4;38;5;208mof it\\x1b[m\\r\\n")
"""


def record(take: Take) -> bytes:
    """Run one take and return everything it printed."""
    environment = {
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PATH": os.environ["PATH"], "TEXT": _CHINESE,
        "RAINBOW": _RAINBOW, "PYTHON": sys.executable,
    }  # fmt: skip
    argv = ["unshare", "-Urnmpu", "--fork", "--mount-proc", "sh", "-c", _ALONE + take.line]
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], argv, environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def reply(text: str) -> None:
        os.write(master, text.encode())

    terminal = Terminal(COLUMNS, ROWS, reply=reply)
    printed = bytearray()
    for number, keys in enumerate((*take.keys, "")):
        end = time.monotonic() + (take.pause if number else 0.8)
        while (left := end - time.monotonic()) > 0 and len(printed) < LIMIT:
            if select.select([master], [], [], left)[0]:
                try:
                    data = os.read(master, 4096)
                except OSError:
                    break
                printed += data
                terminal.feed(data.decode("utf-8", "replace"))
        os.write(master, keys.encode())
    os.close(master)
    os.waitpid(pid, 0)
    return bytes(printed[:LIMIT])


if __name__ == "__main__":
    CAPTURES.mkdir(exist_ok=True)
    for chosen in TAKES:
        if len(sys.argv) < 2 or chosen.name in sys.argv[1:]:
            printed = record(chosen)
            (CAPTURES / f"{chosen.name}.bytes").write_bytes(printed)
            print(f"{chosen.name}: {len(printed)} bytes")
