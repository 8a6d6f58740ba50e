"""Rules for tests that have no kernel: the few words of nft that they need, typed as the kernel's own form would be read."""

from __future__ import annotations

import shlex

from netless_lab.model.netfilter import rules as r
from netless_lab.model.netfilter.packet import STATES, address, network, only
from netless_lab.model.snapshot import Rule


def rule(text: str, handle: int = 0, **more: object) -> Rule:
    """``ip saddr 10.0.0.0/24 oifname != "br0" masquerade`` as a rule of a snapshot. Raises ValueError for words that are not known here."""
    return Rule(handle, text, parts=tuple(_parts(shlex.split(text))), **more)  # type: ignore[arg-type]


def _parts(words: list[str]) -> list[r.Part]:
    found: list[r.Part] = []
    while words:
        word = words.pop(0)
        match word:
            case "iifname" | "oifname":
                negated = _negated(words)
                name = words.pop(0)
                held = r.Names(begins=(name[:-1],)) if name.endswith("*") else r.Names((name,))
                found.append(r.Condition(word, held, negated))
            case "ip" | "ip6":
                field = f"{word} {words.pop(0)}"
                negated = _negated(words)
                found.append(r.Condition(field, r.Numbers(network(words.pop(0))), negated))
            case "ct":
                assert words.pop(0) == "state"
                asked = words.pop(0).split(",")
                bits = sum(bit for name, bit in STATES.items() if name in asked)
                found.append(r.Condition("ct state", r.Numbers(only(0), bits), negated=True))
            case "accept":
                found.append(r.Accept())
            case "drop" | "reject":
                found.append(r.Drop("port-unreachable" if word == "reject" else ""))
            case "return":
                found.append(r.Return())
            case "masquerade":
                found.append(r.Rewrite("masquerade"))
            case "snat" | "dnat":
                assert words.pop(0) == "to"
                target = address(words.pop(0).split(":")[0])
                found.append(r.Rewrite(word, (target, target)))
            case "jump" | "goto":
                found.append(r.Jump(words.pop(0), word == "goto"))
            case "unread":
                found.append(r.Unread("xt match"))
            case "unfollowed":
                found.append(r.Unfollowed("xt target"))
            case "counter":
                continue
            case _:
                raise ValueError(f"{word!r} is not among the words of this helper")
    return found


def _negated(words: list[str]) -> bool:
    if words[0] != "!=":
        return False
    words.pop(0)
    return True
