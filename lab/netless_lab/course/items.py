"""The tables of a step block as actions, expectations and probes.

An action or expectation is looked up by its first key, the verb, in ``primitives.registry``; a probe by ping, connect, udp,
lookup or fetch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from ..explain.catalogue import CATALOGUE
from ..model.probe import LARGEST, Connect, Fetch, Lookup, Ping, Probe, Udp
from ..primitives import registry
from ..primitives.base import Action, Expectation
from . import fields
from .fields import convert
from .markdown import Table
from .problems import Report, did_you_mean
from .step import Demand, ProbeCheck, Silence
from .words import objection, words_of

_OF_ANSWERS: Final = ("seen-as", "answer")
"""Keys that say what an answer must tell."""
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
ItemT = TypeVar("ItemT", Action, Expectation)


class _Common(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """Keys that every probe has."""

    from_: str = msgspec.field(name="from")
    reply: bool | None = None
    silence: Silence | None = None
    because: str = ""
    control: dict[str, Any] | None = None


class _Ping(_Common, frozen=True, kw_only=True, rename="kebab"):
    """``{ ping = "10.0.0.2", from = "host" }``"""

    ping: str
    ttl: int | None = None
    size: int = 8
    dont_fragment: bool = False


class _Connect(_Common, frozen=True, kw_only=True, rename="kebab"):
    """``{ connect = "198.51.100.10:80", from = "c1" }``"""

    connect: str


class _Udp(_Common, frozen=True, kw_only=True, rename="kebab"):
    """``{ udp = "198.51.100.10:5353", from = "c1" }``; with ``source-port`` every datagram of the probe comes from the same one."""

    udp: str
    size: int | None = None
    dont_fragment: bool = False
    source_port: int | None = None


class _Lookup(_Common, frozen=True, kw_only=True, rename="kebab"):
    """``{ lookup = "example.test", from = "c1", answer = "198.51.100.10" }``"""

    lookup: str
    server: str | None = None
    answer: str | None = None


class _Fetch(_Common, frozen=True, kw_only=True, rename="kebab"):
    """``{ fetch = "http://example.test/", from = "c1", seen-as = "203.0.113.2" }``"""

    fetch: str
    seen_as: str | None = None


_Raw = _Ping | _Connect | _Udp | _Lookup | _Fetch
_PROBES: dict[str, type[_Raw]] = {"ping": _Ping, "connect": _Connect, "udp": _Udp, "lookup": _Lookup, "fetch": _Fetch}


def read_action(values: Mapping[str, Any], line: int, report: Report) -> Action | None:
    """``{ move = "veth1", to = "c1" }`` as an action."""
    return _by_verb(values, registry.ACTIONS, line, report, "action", "expect" if _verb(values) in registry.EXPECTATIONS else "")


def read_expectation(values: Mapping[str, Any], line: int, report: Report) -> Expectation | None:
    """``{ link = "veth1", in = "c1" }`` as an expectation."""
    place = "do" if _verb(values) in registry.ACTIONS else "probe" if _verb(values) in _PROBES else ""
    return _by_verb(values, registry.EXPECTATIONS, line, report, "expectation", place)


def read_probe(values: Mapping[str, Any], line: int, report: Report, unsaid: Silence = "observation") -> ProbeCheck | None:
    """``{ ping = "10.0.0.2", from = "host", silence = "observation", because = "..." }`` as a probe and what must become of it.

    ``unsaid`` is the kind of silence meant by ``reply = false`` alone.
    """
    raw = _raw_probe(values, line, report)
    if raw is None:
        return None
    if raw.reply and raw.silence is not None:
        advice = "Leave out reply = true, or leave out silence."
        report.add(line, f'the probe must be answered, and silence = "{raw.silence}" says that it must not.', advice)
    demand: Demand = "reply" if raw.silence is None and raw.reply is not False else raw.silence or unsaid
    control = None
    if raw.control is not None:
        if demand == "reply":
            advice = 'Add silence = "observation" or silence = "guard", or leave the control out.'
            report.add(line, "a control is only for a probe that must not be answered.", advice)
        elif {"reply", "silence", "because", "control", *_OF_ANSWERS} & set(raw.control):
            report.add(line, "a control is a plain probe that must be answered.", 'Write control = { ping = "...", from = "..." }.')
        else:
            plain = _raw_probe(raw.control, line, report)
            control = _as_probe(plain) if plain else None
    for key in _OF_ANSWERS if demand != "reply" else ():
        if key in values:
            report.add(line, f'"{key}" is of an answer, and this probe must not be answered.', "Leave one of the two out.")
    if demand != "reply" and not raw.because.strip():
        report.add(line, "a probe that must not be answered needs its reason.", 'Add because = "nothing on the host knows 10.0.0.2 yet".')
    return ProbeCheck(_as_probe(raw), demand, raw.because.strip(), getattr(raw, "seen_as", None), getattr(raw, "answer", None), control)


def causes(table: Table, key: str, report: Report) -> tuple[str, ...]:
    """Codes of causes, each one that Why knows."""
    found = fields.texts(table, key, report)
    for index, code in enumerate(found):
        if code not in CATALOGUE:
            report.add(table.line(key, index), f'"{key}" names "{code}", which is no cause that Why knows.', did_you_mean(code, CATALOGUE, "Causes"))
    return found


def probe_nodes(check: ProbeCheck) -> tuple[str, ...]:
    """The nodes that a probe is sent from."""
    return (check.probe.node,) + ((check.control.node,) if check.control else ())


def _verb(values: Mapping[str, Any]) -> str:
    return next(iter(values), "")


def _by_verb(values: Mapping[str, Any], known: Mapping[str, type[ItemT]], line: int, report: Report, what: str,
             place: str) -> ItemT | None:
    verb = _verb(values)
    struct = known.get(verb)
    if struct is None:
        report.add(line, f'there is no {what} "{verb}".', _advise_verb(values, known, verb, place))
        return None
    item = convert(values, struct, f'the {what} "{verb}"', line, report)
    if item is None:
        return None
    return None if [word for word in words_of(item) if report.refuse(line, objection(word.role, word.text))] else item


def _advise_verb(values: Mapping[str, Any], known: Mapping[str, object], verb: str, place: str) -> str:
    """What was probably meant by an unknown verb."""
    if place:
        return f'It belongs in "{place}".'
    first = [key for key in values if key in known]
    if first:
        return f'The first key is the verb: begin the table with {first[0]} = "...".'
    return did_you_mean(verb, known, "Known")


def _raw_probe(values: Mapping[str, Any], line: int, report: Report) -> _Raw | None:
    verb = _verb(values)
    struct = _PROBES.get(verb)
    if struct is None:
        place = "expect" if verb in registry.EXPECTATIONS else ""
        report.add(line, f'there is no probe "{verb}".', _advise_verb(values, _PROBES, verb, place))
        return None
    raw = convert(values, struct, f'the probe "{verb}"', line, report)
    return raw if raw is not None and _probe_is_sound(raw, line, report) else None


def _as_probe(raw: _Raw) -> Probe:
    """What was checked before as a probe."""
    match raw:
        case _Ping(ping=to):
            return Ping(raw.from_, to, raw.ttl, raw.size, raw.dont_fragment)
        case _Connect(connect=door):
            return Connect(raw.from_, *_door(door))
        case _Udp(udp=door):
            return Udp(raw.from_, *_door(door), raw.size, raw.dont_fragment, raw.source_port)
        case _Lookup(lookup=name):
            return Lookup(raw.from_, name, raw.server)
        case _Fetch(fetch=url):
            return Fetch(raw.from_, url)


def _door(text: str) -> tuple[str, int]:
    """(address, port)"""
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)


def _probe_is_sound(raw: _Raw, line: int, report: Report) -> bool:
    """Check addresses, ports, names and sizes of a probe."""
    before = len(report.problems)
    match raw:
        case _Ping():
            report.refuse(line, objection("ip", raw.ping))
            if raw.ttl is not None and not 1 <= raw.ttl <= 255:
                report.add(line, f"ttl = {raw.ttl} is no time to live.", "It goes from 1 to 255 (RFC 791).")
            _check_size(raw.size, "a ping", line, report)
        case _Connect():
            _check_door(raw.connect, line, report)
        case _Udp():
            _check_door(raw.udp, line, report)
            if raw.size is not None:
                _check_size(raw.size, "a datagram", line, report)
            if raw.source_port is not None and not 1 <= raw.source_port <= 65535:
                report.add(line, f"source-port = {raw.source_port} is no port.", "Ports are 1 to 65535.")
        case _Lookup():
            if not raw.lookup.strip() or " " in raw.lookup or "/" in raw.lookup:
                report.add(line, f'"{raw.lookup}" is no host name.', 'Write it as in "example.test".')
            for text in (raw.server, raw.answer):
                report.refuse(line, objection("ip", text) if text is not None else None)
        case _Fetch():
            if not _is_page(raw.fetch):
                report.add(line, f'"{raw.fetch}" cannot be fetched.', 'Only http works here: "http://example.test/".')
            report.refuse(line, objection("ip", raw.seen_as) if raw.seen_as is not None else None)
    return len(report.problems) == before


def _check_size(size: int, what: str, line: int, report: Report) -> None:
    if not 0 <= size <= LARGEST:
        report.add(line, f"size = {size} does not fit a packet.", f"The payload of {what} has 0 to {LARGEST} bytes.")


def _check_door(text: str, line: int, report: Report) -> None:
    """An address and a port."""
    address, colon, port = text.rpartition(":")
    if not colon or not _NUMBER.fullmatch(port) or not 1 <= int(port) <= 65535:
        report.add(line, f'"{text}" is no address and port.', 'Write it as in "198.51.100.10:80" or "[fd00::10]:80".')
    elif ":" in address and not (address.startswith("[") and address.endswith("]")):
        advice = f'Put the address in brackets: "[{address}]:{port}".'
        report.add(line, f'where the address ends in "{text}" nobody can tell.', advice)
    else:
        report.refuse(line, objection("ip", address.strip("[]")))


def _is_page(url: str) -> bool:
    """Whether a URL is http with a host, and a port that is one if it has any."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
