"""Seeded changes to real inputs: a few cuts, repetitions, swaps and splinters, in bytes. The same numbers make the same change."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

NUMBERS: Final = (b"0", b"-1", b"1e999", b"nan", b"1.5", b"9" * 40, b"9" * 5000, b"4294967296", b"-9223372036854775809", b"0x10", b"1979-13-40")
TEXTS: Final = (
    b'""', b"''", b'"""', b"'''", b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"\0", b"\x1b[31m", b"\r", b"\n", b"\t", b"{x}", b"{node}", b"%s", b"../../x",
    b"/etc/passwd", b"10.0.0.300", b"::1", b"0.0.0.0/0", b"10.0.0.1/99", "é漢‮\ufeff".encode(), b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"x" * 3000,
)  # fmt: skip
SHAPES: Final = (b"[", b"]", b"{", b"}", b"[]", b"{}", b"[[]]", b"[{}]", b"{a=1}", b"null", b"true", b",", b"=", b":", b"#", b"[" * 300, b'{"a":' * 300, b"{a=" * 300)
SPLINTERS: Final = (*NUMBERS, *TEXTS, *SHAPES)


def mutated(data: bytes, dice: Random, splinters: Sequence[bytes] = SPLINTERS, most: int = 5) -> bytes:
    """One to ``most`` changes."""
    for _ in range(dice.randint(1, most)):
        data = _once(data, dice, splinters)
    return data


def flipped(data: bytes, dice: Random, most: int = 6) -> bytes:
    """Up to ``most`` changes for a binary input: single bytes, cuts, and bytes put in or added at the end."""
    for _ in range(dice.randint(0, most)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0 | 1 | 2:
                data = data[:at] + bytes([dice.choice((0, 0x45, 0x81, 0xC0, 0xFF, dice.randrange(256)))]) + data[at + 1 :]
            case 3:
                data = data[:at]
            case 4:
                data = data[:at] + dice.randbytes(dice.randint(1, 20)) + data[at:]
            case _:
                data += dice.randbytes(dice.choice((1, 40, 1500)))
    return data


def _once(data: bytes, dice: Random, splinters: Sequence[bytes]) -> bytes:
    start = dice.randrange(len(data) + 1)
    end = min(len(data), start + dice.choice((1, 1, 2, 5, 20, 200)))
    match dice.randrange(9):
        case 0:
            return data[:start] + data[end:]
        case 1 | 2:
            return data[:start] + dice.choice(splinters) + data[start:]
        case 3:
            return data[:start] + dice.choice(splinters) + data[end:]
        case 4:
            again = dice.randrange(len(data) + 1)
            return data[:start] + data[again : again + dice.choice((5, 50, 500))] + data[start:]
        case 5:
            return data[:start] + bytes([dice.randrange(256)]) + data[end:]
        case 6:
            lines = data.split(b"\n")
            one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            return b"\n".join(lines)
        case 7:
            value = max(data.find(b"=", start), data.find(b":", start)) + 1
            until = data.find(b"\n", value)
            return data[:value] + b" " + dice.choice(splinters) + (data[until:] if until > 0 else b"")
        case _:
            return data[:start]
