"""The words of actions and expectations: which they are, the role each plays, and why the kernel or the lab would refuse one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

import msgspec

from ..primitives.base import Action, Expectation
from ..primitives.roles import RoleName, roles
from .problems import Objection
from .step import Step

Item = Action | Expectation

_LONGEST_LINK = 15
"""IFNAMSIZ is 16 with its NUL (<linux/if.h>)."""
_LINK = re.compile(r"[^\s/:]+")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Word(msgspec.Struct, frozen=True):
    """A word of an item, the role it plays and the field it stands in."""

    role: RoleName
    text: str
    field: str


def words_of(item: Item) -> Iterator[Word]:
    """Every word of an action or expectation that has a role, lists included."""
    for field, role in roles(type(item)):
        value = getattr(item, field)
        for text in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if isinstance(text, str) and text:
                yield Word(role, text, field)


def words_by_role(items: Iterable[Item], role: RoleName) -> tuple[str, ...]:
    """The words with one role in these items, each once, in order."""
    return tuple(dict.fromkeys(word.text for item in items for word in words_of(item) if word.role == role))


def items_of(step: Step) -> tuple[Item, ...]:
    """Everything a step does and expects."""
    return (*step.expect, *step.do)


def objection(role: RoleName, text: str) -> Objection | None:
    """Why the kernel or the lab would refuse this word, or None."""
    match role:
        case "link":
            return _link(text)
        case "node":
            return None if _NODE.fullmatch(text) else Objection(f'"{text}" cannot name a node.', 'Names are like "host", "c1", "decoy".')
        case "netns":
            if "/" in text or text in (".", "..") or len(text.encode()) > 255 or text != text.strip():
                return Objection(f'"{text}" cannot be a name in /run/netns.', "It becomes a file name: no slash, no spaces around it.")
            return None
        case "ip":
            return _ip(text)
        case "cidr":
            return _cidr(text)
        case "net":
            return None if text == "default" else _net(text)


def bad_id(text: str) -> Objection | None:
    """Why ``text`` cannot be an id, or None. Ids are lower case so that they can be typed and kept as file names."""
    if _ID.fullmatch(text):
        return None
    tidy = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return Objection(f'"{text}" is no id.', f'Use small letters, digits and hyphens{f": {chr(34)}{tidy}{chr(34)}" if tidy else ""}.')


def _link(text: str) -> Objection | None:
    size = len(text.encode())
    if size > _LONGEST_LINK:
        shorter = text.encode()[:_LONGEST_LINK].decode(errors="ignore")
        return Objection(f'the link name "{text}" has {size} bytes.', f'The kernel takes at most {_LONGEST_LINK}: try "{shorter}".')
    if not _LINK.fullmatch(text) or text in (".", ".."):
        return Objection(f'"{text}" cannot name a link.', "No spaces, no slash, no colon.")
    return None


def _ip(text: str) -> Objection | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if "/" in text and _cidr(text) is None:
            return Objection(f'"{text}" has a prefix, and here stands one address.', f'Write "{text.split("/")[0]}".')
        if ":" in text:
            return Objection(f'"{text}" is no IPv6 address.', 'Write it as in "fd00::2".')
        return Objection(f'"{text}" is no IP address.', 'Write four numbers from 0 to 255, as in "10.0.0.2".')
    return None


def _cidr(text: str) -> Objection | None:
    if "/" not in text:
        if _ip(text) is None:
            return Objection(f'"{text}" has no prefix length.', f'Write "{text}/{64 if ":" in text else 24}", or the prefix you mean.')
        return _ip(text)
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return Objection(f'"{text}" is no address with a prefix.', 'Write it as in "10.0.0.2/24".')
    return None


def _net(text: str) -> Objection | None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        try:
            whole = ipaddress.ip_interface(text).network
        except ValueError:
            return Objection(f'"{text}" is no network.', 'Write it as in "10.0.0.0/24", or "default".')
        return Objection(f'"{text}" is an address inside a network.', f'The network is "{whole}".')
    return None
