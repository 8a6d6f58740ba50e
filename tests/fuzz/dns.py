"""DNS: the pretend internet's server answers a question with a reply that can be read, or with nothing; what a probe is answered is parsed."""

from __future__ import annotations

import struct
from random import Random

from capture import frames
from fuzz.mutate import flipped
from fuzz.target import Given, Target, steady
from netless_lab.model import dns
from netless_lab.model.outside import USUAL
from netless_lab.sandbox.internet import zone
from netless_lab.sandbox.nameserver import answer

_OPT = b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0)
_QUESTION = frames.dns()
SEEDS = (_QUESTION, frames.dns(answer="198.51.100.10"), _QUESTION[:10] + b"\0\1" + _QUESTION[12:] + _OPT, b"\0" * 12)


def make(dice: Random) -> Given:
    """A message, spoiled."""
    return Given(flipped(dice.choice(SEEDS), dice))


def check(given: Given) -> None:
    """Neither side raises; what is whole is read as it was when it has been written again; a reply is to this question, its records whole."""
    read = dns.decode(given.data)
    if read is not None and read.whole:
        assert dns.decode(dns.encode(read)) == read, "what was read is written and read the same"
    reply = answer(given.data, zone(USUAL))
    if reply is None:
        return
    assert reply[:2] == given.data[:2] and reply[2] & 0x80, "a reply has the id of its question, and says that it is one"
    questions, *records = struct.unpack_from("!HHHH", reply, 4)
    at = 12
    for _ in range(questions):
        at = _after_name(reply, at) + 4
    for _ in range(sum(records)):
        at = _after_name(reply, at) + 10
        at += int.from_bytes(reply[at - 2 : at], "big")
    assert at == len(reply), "every record is whole, and nothing follows the last"


def _after_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] >= 0xC0:
            return at + 2
        at += 1 + data[at]
    return at + 1


TARGET = Target("dns", make, steady(check))
