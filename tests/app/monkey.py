"""What a monkey does at the tutor: from a seed, keys and the mouse as a terminal writes them, other sizes, and what others do to the lab meanwhile. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

SIZES: Final = ((80, 24), (120, 40), (160, 50), (81, 25), (200, 60), (60, 18), (40, 12), (30, 8), (20, 5), (10, 3), (1, 1), (300, 100))
"""Columns and rows, too few of them also."""
KEYS: Final = (
    *"rtcwhbngxdpDm?yeaf/sz12 []jkGKLMPRW0°²ä网éTCN.",
    *("\x1b", "\r", "\t", "\x1b[Z", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x7f", "\x1b[3~"),
    *("\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[23~", "\x1b[24~", "\x1b[1;5C", "\x1b[1;2A", "\x1b[I", "\x1b[O"),
    *("\x05", "\x0e", "\x10", "\x1d", "\x0c", "\x12", "\x15", "\x17", "\x1a", "\x00", "\x1bx", "\x1b[97;5u", "\x1b[?9;9$y", "\x1b]11;rgb:ff/ff/ff\x07"),
)
"""Keys of the tutor and others, sequences that terminals send by themselves among them; neither q nor Ctrl-C, which leave."""
TYPED: Final = ("ls\r", "ip a\r", "exit\r", "ping -c2 10.0.0.1\r", "yes | head -3000\r", "vi\r", ":q!\r", "ip link del veth1\r", "forwarding", "container/cab",
         "\x10theme\r", "\x10help\r", "/ip\r")  # fmt: skip
PASTED: Final = ("ip link\n", "网络\n" * 40, "x" * 9000, "y" * 102_400, "网络 👩\u200d👩\u200d👧\n" * 200, "\x1b[31mred\x1b[0m", "a\r\nb\r\n", "")
ELSEWHERE: Final = (
    "exec host -- ip link add monkey type dummy", "exec host -- ip link del monkey", "exec host -- ip link set br0 down", "exec host -- ip addr flush dev br0",
    "exec c1 -- ip link set lo down", "exec host -- sysctl -w net.ipv4.ip_forward=1", "exec host -- nft flush ruleset", "run", "run --all", "back", "next --yes",
    "hint", "check", "goto plug", "goto internet/masquerade --end", "goto container/switch", "reset step", "reset lesson --yes", "reset lab --yes", "break --random",
    "break --drill", "break --exam", "mend", "ping c1 10.0.0.1", "ping c1 198.51.100.10", "why host 198.51.100.10:80", "status",
)  # fmt: skip
"""What somebody does to the same lab at another terminal."""
Kind = Literal["type", "resize", "elsewhere", "kill", "theme"]


class Deed(NamedTuple):
    """One thing that is done: bytes typed as a terminal writes them, a size, a command of netless, the agent's death, or another theme."""

    kind: Kind
    text: str = ""
    size: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        text = self.text if len(self.text) < 100 else f"{self.text[:60]} ... {len(self.text)} signs"
        return f"{self.kind} {text!r}" if text else f"{self.kind} {self.size[0]}x{self.size[1]}" if self.kind == "resize" else self.kind


def deeds(seed: int, count: int) -> Iterator[Deed]:
    """So many deeds of a seed: the same seed does the same."""
    chance = random.Random(seed)
    size = SIZES[1]
    for _ in range(count):
        way = chance.random()
        if way < 0.62:
            yield Deed("type", "".join(chance.choices(KEYS, k=chance.choice((1, 1, 1, 2, 3)))))
        elif way < 0.80:
            yield Deed("type", _mouse(chance, size))
        elif way < 0.86:
            yield Deed("type", chance.choice(TYPED))
        elif way < 0.89:
            yield Deed("type", f"\x1b[200~{chance.choice(PASTED)}\x1b[201~")
        elif way < 0.95:
            size = chance.choice(SIZES)
            yield Deed("resize", size=size)
        elif way < 0.985:
            yield Deed("elsewhere", chance.choice(ELSEWHERE))
        elif way < 0.998:
            yield Deed("theme")
        else:
            yield Deed("kill")


def _mouse(chance: random.Random, size: tuple[int, int]) -> str:
    """A click, a drag or the wheel, mostly on the screen, as SGR reports it (xterm's 1006)."""
    x, y = chance.randint(1, size[0] + 2), chance.randint(1, size[1] + 1)
    way = chance.random()
    if way < 0.5:
        button = chance.choice((0, 0, 0, 1, 2, 4, 16))
        return f"\x1b[<{button};{x};{y}M\x1b[<{button};{x};{y}m" * chance.choice((1, 1, 2, 3))
    if way < 0.8:
        return f"\x1b[<{chance.choice((64, 65, 66, 67))};{x};{y}M" * chance.randint(1, 8)
    to_x, to_y = chance.randint(1, size[0]), chance.randint(1, size[1])
    return f"\x1b[<0;{x};{y}M\x1b[<32;{to_x};{to_y}M\x1b[<35;{x};{to_y}M\x1b[<0;{to_x};{to_y}m"
