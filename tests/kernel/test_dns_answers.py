"""What a name server answers is read as far as it is whole; the witness for what is written is ``tcpdump``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from capture import frames
from netless_lab.kernel.capture.pcapng import pcapng
from netless_lab.kernel.probe.lookup import answers
from netless_lab.model import dns
from netless_lab.model.journeys.frame import Frame

QUESTION = dns.Message(4660, dns.RECURSION_DESIRED, (dns.Question((b"example", b"test"), dns.A),))
REPLY = frames.dns(answer="198.51.100.10")


def read(data: bytes) -> dns.Message:
    """A message, which must be one."""
    message = dns.decode(data)
    assert message is not None
    return message


def test_a_question_is_written_as_by_hand() -> None:
    """Byte for byte."""
    assert dns.encode(QUESTION) == frames.dns()


def test_a_whole_answer_is_read() -> None:
    """The address in it, by a name that points to the question's."""
    message = read(REPLY)
    assert answers(message, QUESTION)
    assert [(record.name, record.value) for record in message.answers] == [((b"example", b"test"), "198.51.100.10")]


@pytest.mark.parametrize("left", range(len(REPLY)))
def test_an_answer_that_is_cut_short_is_none(left: int) -> None:
    """Wherever it ends: within the address too."""
    message = dns.decode(REPLY[:left])
    assert message is None or not answers(message, QUESTION)


def test_an_answer_to_another_question_is_none() -> None:
    """Another id, another name, another type; letters may be large or small, and the question may be left out."""
    assert not answers(read(frames.dns(answer="198.51.100.10", ident=1)), QUESTION)
    assert not answers(read(frames.dns("example.best", "198.51.100.10")), QUESTION)
    assert not answers(read(REPLY), QUESTION._replace(questions=(dns.Question((b"example", b"test"), dns.AAAA),)))
    assert not answers(read(frames.dns()), QUESTION)
    assert answers(read(frames.dns("EXAMPLE.Test", "198.51.100.10")), QUESTION)
    assert answers(read(dns.encode(dns.Message(4660, dns.RESPONSE | dns.REFUSED))), QUESTION)


def test_what_is_written_is_read_again_and_by_tcpdump(tmp_path: Path) -> None:
    """Names in names, addresses of both families, a name of bytes that are no letters, EDNS."""
    name, alias = (b"www", b"example", b"test"), (b"example", b"test")
    records = (
        dns.Record(name, dns.CNAME, dns.packed(alias), 60),
        dns.Record(alias, dns.A, bytes((198, 51, 100, 10)), 60),
        dns.Record(alias, dns.AAAA, bytes.fromhex("fd000000000000000000000000000001"), 60),
        dns.Record((b"a.b\xff", b"test"), dns.PTR, dns.packed(alias), 60),
    )
    opt = dns.Record((), dns.OPT, b"", klass=1232)
    message = dns.Message(7, dns.RESPONSE | dns.AUTHORITATIVE, (dns.Question(name, dns.ANY),), records, (), (opt,))
    data = dns.encode(message)
    assert dns.decode(data) == message
    assert [record.value for record in records] == ["example.test", "198.51.100.10", "fd00::1", "example.test"]
    assert dns.text(records[3].name) == "a.b?.test"
    frame = frames.ethernet(frames.ip4(17, frames.udp(data, 53, 5000)))
    path = tmp_path / "one.pcapng"
    path.write_bytes(pcapng([Frame(1, "c1", "eth0", 1, "in", frame, len(frame))]))
    told = subprocess.run(["tcpdump", "-nvv", "-r", str(path)], capture_output=True, text=True, check=True).stdout
    for words in ("ANY? www.example.test.", "4/0/1", "CNAME example.test.", "A 198.51.100.10", "AAAA fd00::1", "PTR example.test.", "OPT UDPsize=1232"):
        assert words in told


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, ".".join(["x" * 63] * 4)])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    """Empty parts, parts of more than 63 letters, more than 253 in all."""
    with pytest.raises(ValueError, match="cannot be a domain name"):
        dns.name_of(name)


def test_the_longest_name_travels() -> None:
    """253 letters, dots among them (RFC 1035, 2.3.4)."""
    longest = dns.name_of(".".join(["x" * 63] * 3 + ["y" * 61]))
    assert read(dns.encode(QUESTION._replace(questions=(dns.Question(longest, dns.A),)))).questions[0].name == longest
