"""Random terminal output: text, controls and escape sequences in proportions that make them meet."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

COLUMNS, ROWS = 40, 12
"""The size every sequence is made for: small, so that edges, margins and scrolling are met often."""

_WORDS = (
    "netns", "veth0", "a long name that goes on and on", "x", "br0: <UP>", "|",
    "0123456789" * 5, "  ", "中文", "e\u0301", "桥接口", "──┼",
)  # fmt: skip


def random_output(seed: int) -> str:
    """One sequence; the same seed gives the same one."""
    random = Random(seed)
    return "".join(_piece(random) for _ in range(random.randint(5, 60)))


def pieces_of(text: str, seed: int) -> list[str]:
    """The text cut at random places, as a read from a terminal cuts it."""
    random, pieces, at = Random(seed), [], 0
    while at < len(text):
        length = random.randint(1, 40)
        pieces.append(text[at : at + length])
        at += length
    return pieces


def _piece(random: Random) -> str:
    kind = random.choices(list(_KINDS), [weight for weight, _ in _KINDS.values()])[0]
    return _KINDS[kind][1](random)


def _number(random: Random, limit: int) -> str:
    return random.choice(("", "0", "1", "2", str(random.randint(1, limit)), str(random.randint(1, limit))))


def _move(random: Random) -> str:
    if random.random() < 0.5:
        return f"\x1b[{_number(random, ROWS + 2)};{_number(random, COLUMNS + 5)}{random.choice('Hf')}"
    return f"\x1b[{_number(random, 14)}{random.choice('ABCDEFG`dae')}"


def _edit(random: Random) -> str:
    return f"\x1b[{_number(random, 9)}{random.choice('@PXLMST')}"


def _erase(random: Random) -> str:
    return f"\x1b[{random.choice(('', '?'))}{random.choice(('', '0', '1', '2', '7'))}{random.choice('JK')}"


def _margins(random: Random) -> str:
    return f"\x1b[{_number(random, 8)};{_number(random, ROWS + 3)}r" if random.random() < 0.8 else "\x1b[r"


def _mode(random: Random) -> str:
    return random.choice(("\x1b[?6", "\x1b[?7", "\x1b[4", "\x1b[20", "\x1b[?25", "\x1b[?1", "\x1b[?2004")) + random.choice("hl")


def _screen(random: Random) -> str:
    return random.choice(("\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l"))


def _save(random: Random) -> str:
    return random.choice(("\x1b7", "\x1b8", "\x1b[s", "\x1b[u", "\x1b[?1048h", "\x1b[?1048l"))


def _look(random: Random) -> str:
    return f"\x1b[{random.choice(('', '0', '1', '7', '31', '42', '38;5;208', '48;2;1;2;3', '38:2::9:8:7', '4:3', '39;49', '999'))}m"


def _charset(random: Random) -> str:
    return random.choice(("\x1b(0lqk\x1b(B", "\x1b(0", "\x1b(B", "\x1b)0\x0eqqq\x0f", "\x0e", "\x0f"))


def _tabs(random: Random) -> str:
    return random.choice(("\t", "\t", "\x1bH", "\x1b[g", "\x1b[3g", "\x1b[2I", "\x1b[Z", "\x1b[3Z"))


def _strings(random: Random) -> str:
    return random.choice(
        ("\x1b]0;title\x07", "\x1b]2;t\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b_app\x1b\\", "\x1b]52;c;?\x07", "\x1b]8;;http://x\x07link\x1b]8;;\x07")
    )


def _broken(random: Random) -> str:
    return random.choice(
        ("\x1b[12\x18", "\x1b[3;\x1aq", "\x1b]0;half\x18", "\x1b[5\x1b[m", "\x1b]2;cut\x1b[1m",
         "\x1bP cut\x1b[m", "\x1b[>4;2m", "\x1b[1\n2C", "\x00", "\x7f",
         "\x1b[999999999999C", "\x1b[;;;;H", "\x1b[?q", "\x1b%G", "\x1b[1;2;3t")
    )  # fmt: skip


_KINDS: dict[str, tuple[float, Callable[[Random], str]]] = {
    "text": (30, lambda random: random.choice(_WORDS)),
    "line": (12, lambda random: random.choice(_WORDS) + "\r\n"),
    "flood": (2, lambda random: "".join(f"line {n}\r\n" for n in range(random.randint(3, 30)))),
    "control": (8, lambda random: random.choice("\r\n\b\b\x0b\x0c")),
    "move": (14, _move),
    "edit": (9, _edit),
    "erase": (6, _erase),
    "margins": (3, _margins),
    "mode": (3, _mode),
    "screen": (1.5, _screen),
    "save": (3, _save),
    "look": (6, _look),
    "charset": (2, _charset),
    "tabs": (4, _tabs),
    "index": (4, lambda random: random.choice(("\x1bD", "\x1bE", "\x1bM"))),
    "repeat": (2, lambda random: "R" + f"\x1b[{_number(random, 60)}b"),
    "strings": (2, _strings),
    "broken": (3, _broken),
    "reset": (0.4, lambda random: random.choice(("\x1bc", "\x1b[!p", "\x1b#8"))),
}
