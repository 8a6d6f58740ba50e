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
from collections.abc import Sequence
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
    """One recording: a shell line, and keys with the seconds to wait before each."""

    name: str
    line: str
    keys: Sequence[tuple[float, str]] = ()


TAKES = (
    Take("ls", "ls -laR --color=always /usr/share/doc/b* | head -400"),
    Take("ip", "ip link add br0 type bridge; ip link add veth1 type veth peer name veth2; ip link set veth2 master br0 up;"
         " ip addr add 10.0.0.1/24 dev br0; ip link set br0 up; ip link set lo up; for n in 1 2 3; do ip -c addr; ip -c route; ip -c -s link; done"),
    Take("chinese", "printf %s \"$TEXT\"; printf %s \"$TEXT\" | sed -E 's/.{23}/&\\n/g'"),
    Take("rainbow", "exec $PYTHON -c \"$RAINBOW\""),
    Take("bash", "exec bash --norc -i", [(0.6, "ls -l /etc/host"), (0.2, "\t\t"), (0.5, "name"), (0.2, "\x01"), (0.2, "time "), (0.2, "\x05\r"), (0.5, "echo one two three"),
         (0.2, "\x1bb\x1bb"), (0.2, "X\x1bd"), (0.2, "\x17\x19"), (0.2, "\r"), (0.3, "\x10\x10"), (0.2, "\x12host"), (0.3, "\r"), (0.4, "for i in 1 2; do\recho $i\rdone\r"),
         (0.3, "x" * 100), (0.2, "\x02" * 60), (0.2, "yy"), (0.2, "\x0b"), (0.2, "\x15"), (0.2, "echo 中文" + "字" * 40), (0.2, "\x02" * 20 + "\x7f\x7f"), (0.3, "\r"), (0.3, "")]),
    Take("less", "seq -f 'line %g of a page that is long enough to be seen in less, with words enough to be folded' 500 >t; exec less t",
         [(0.6, " "), (0.3, " "), (0.3, "b"), (0.3, "/77\r"), (0.3, "n"), (0.3, "G"), (0.3, "-S\r"), (0.3, "kkkk"), (0.3, "1G"), (0.3, "jjj"), (0.3, "&9\r"), (0.4, "")]),
    Take("vim", "printf %s \"$TEXT\" >t; seq -f 'line %g' 60 >>t; exec vim -u NONE -N t",
         [(0.8, ":set number hlsearch ruler laststatus=2\r"), (0.3, "/veth\r"), (0.3, "iinserted 中文 text\x1b"), (0.3, "ddp3J"), (0.3, "\x06"), (0.3, "\x06"), (0.3, ":vsplit\r"), (0.3, "GO" + "wide 宽 " * 20 + "\x1b"),
          (0.3, ":split\r"), (0.3, "\x17j\x17l"), (0.3, "ggVjjd"), (0.3, "u"), (0.3, ":%s/line/LINE/\r"), (0.3, "\x02"), (0.3, "zz"), (0.5, "")]),
    Take("top", "exec top -d 0.5", [(0.8, "1"), (0.7, "c"), (0.7, "z"), (0.7, "x"), (0.7, "?"), (0.6, "\x1b"), (0.6, "b"), (0.9, "")]),
    Take("htop", "exec htop -d 5", [(1.0, "\x1b[B"), (0.5, "t"), (0.7, "\x1bOQ"), (0.7, "\x1b[B\x1b[B"), (0.5, "\x1b"), (0.8, "h"), (0.6, " "), (0.9, "")]),
)  # fmt: skip

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
    terminal = Terminal(COLUMNS, ROWS, reply=lambda text: os.write(master, text.encode()) and None)
    printed = bytearray()
    for wait, keys in (*take.keys, (0.8, "")):
        end = time.monotonic() + wait
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
