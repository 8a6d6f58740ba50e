"""Malformed probes: every mistake is named with its line, and with what to write instead."""

from __future__ import annotations

import pytest

from helpers.pages import page, refused, step

CASES = {
    "silence of no kind": (
        page(step(probe='[{ ping = "10.0.0.2", from = "host", silence = "golden", because = "b" }]')),
        17,
        'the probe "ping" cannot be read',
        "For example",
    ),
    "an answer and silence": (
        page(step(probe='[{ ping = "10.0.0.2", from = "host", reply = true, silence = "guard", because = "b" }]')),
        17,
        "must be answered",
        "Leave out",
    ),
    "silence without a reason": (
        page(step(probe='[{ ping = "10.0.0.2", from = "host", reply = false }]')),
        17,
        "must not be answered needs its reason",
        "Add because =",
    ),
    "a control for an answer": (
        page(step(probe='[{ ping = "10.0.0.2", from = "host", control = { ping = "10.0.0.1", from = "host" } }]')),
        17,
        "a control is only for a probe that must not be answered",
        "leave the control out",
    ),
    "a control with a reason": (
        page(
            step(
                probe='[{ ping = "10.0.0.2", from = "host", reply = false, because = "b", control = { ping = "10.0.0.1", reply = true } }]'
            )
        ),
        17,
        "a control is a plain probe",
        "Write control =",
    ),
    "what an answer shows, of a silence": (
        page(step(probe='[{ fetch = "http://10.0.0.2/", from = "c1", silence = "guard", because = "b", seen-as = "10.0.0.1" }]')),
        17,
        '"seen-as" is of an answer, and this probe must not be answered',
        "Leave one of the two out",
    ),
    "what an answer says, of a silence": (
        page(step(probe='[{ lookup = "a.test", from = "c1", reply = false, because = "b", answer = "10.0.0.1" }]')),
        17,
        '"answer" is of an answer, and this probe must not be answered',
        "Leave one of the two out",
    ),
    "what an answer says, of a control": (
        page(
            step(
                probe='[{ ping = "10.0.0.2", from = "host", reply = false, because = "b", '
                'control = { lookup = "a.test", from = "host", answer = "10.0.0.1" } }]'
            )
        ),
        17,
        "a control is a plain probe",
        "Write control =",
    ),
    "unknown probe": (
        page(step(probe='[{ pong = "10.0.0.2", from = "host" }]')),
        17,
        'no probe "pong"',
        'Did you mean "ping"',
    ),
    "a probe from nowhere": (
        page(step(probe='[{ ping = "10.0.0.2" }]')),
        17,
        'the probe "ping" lacks the key "from"',
        "For example",
    ),
    "a bad address in a probe": (
        page(step(probe='[{ ping = "10.0.0.300", from = "c1" }]')),
        17,
        '"10.0.0.300" is no IP address',
        "0 to 255",
    ),
    "a port that is none": (
        page(step(probe='[{ connect = "10.0.0.2:99999", from = "c1" }]')),
        17,
        "is no address and port",
        ":80",
    ),
    "a datagram to no port": (
        page(step(probe='[{ udp = "10.0.0.2", from = "c1" }]')),
        17,
        "is no address and port",
        ":80",
    ),
    "a datagram from no port": (
        page(step(probe='[{ udp = "10.0.0.2:53", from = "c1", source-port = 0 }]')),
        17,
        "source-port = 0 is no port",
        "1 to 65535",
    ),
    "a datagram too big": (
        page(step(probe='[{ udp = "10.0.0.2:53", from = "c1", size = 65508 }]')),
        17,
        "size = 65508 does not fit a packet",
        "0 to 65507",
    ),
    "a port of thousands of digits": (
        page(step(probe=f'[{{ connect = "10.0.0.2:{"9" * 5000}", from = "c1" }}]')),
        17,
        "is no address and port",
        ":80",
    ),
    "a port in a digit that is no number": (
        page(step(probe='[{ connect = "10.0.0.2:²", from = "c1" }]')),
        17,
        "is no address and port",
        ":80",
    ),
    "an IPv6 address and port without brackets": (
        page(step(probe='[{ connect = "fd00::2:80", from = "c1" }]')),
        17,
        "nobody can tell",
        '"[fd00::2]:80"',
    ),
    "a bad IPv6 address": (
        page(step(probe='[{ ping = "fd00::2::1", from = "c1" }]')),
        17,
        '"fd00::2::1" is no IPv6 address',
        "fd00::2",
    ),
    "a page that is no http": (
        page(step(probe='[{ fetch = "https://example.test/", from = "c1" }]')),
        17,
        "cannot be fetched",
        "Only http",
    ),
    "an unknown key of a probe": (
        page(step(probe='[{ ping = "10.0.0.2", from = "c1", seen-as = "10.0.0.2" }]')),
        17,
        'the probe "ping" has no key "seen-as"',
        "",
    ),
    "a time to live that is none": (
        page(step(probe='[{ ping = "10.0.0.2", from = "c1", ttl = 0 }]')),
        17,
        "ttl = 0",
        "1 to 255",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_named_with_its_line_and_a_way_out(case: str) -> None:
    """One thing is wrong with a probe of a page: the problem stands at its line, says what it is, and what to write."""
    refused(*CASES[case])
