"""What this machine can: a real room is made, everything the lessons use is tried in it, and what fails is explained.

Nothing is judged by what is installed or by version numbers where it can be tried; the room is gone when the report is there.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from .explain import DEVICE_OF_ROOT, Advice, explain_kernel, explain_start
from .facts import Facts, gather
from .limits import Limits
from .start import StartError, launch
from .status import Failure

CheckStatus = Literal["ok", "missing", "failed"]
"""``failed``: nothing works without it. ``missing``: the rest works without it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing this machine can or cannot do, and for what it is needed."""

    name: str
    status: CheckStatus
    detail: str = ""
    why: str = ""
    do: str = ""
    needed_for: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was tried, in order."""

    checks: tuple[Check, ...]
    usable: bool
    summary: str

    @property
    def missing(self) -> tuple[Check, ...]:
        """What is not there but can be done without."""
        return tuple(check for check in self.checks if check.status == "missing")


@dataclass(frozen=True, slots=True)
class _Feature:
    """How to speak of a trial: its name in the report, the kernel module behind it, what it is for, whether all depends on it."""

    title: str
    module: str
    needed_for: str
    essential: bool = False


_STAGES: Final = {
    "user namespace": "user namespace",
    "uid map": "being root inside",
    "namespaces": "network, pid, mount, uts and ipc namespaces",
    "mounts": "private directories over a read-only root",
    "proc and sys": "a /proc and /sys of its own",
    "system calls": "refusing needless system calls",
    "locked mounts": "mounts that cannot be undone inside",
    "agent": "starting the agent",
}
_FEATURES: Final = {
    "read-only root": _Feature("the machine's files are safe", "", "every lab", essential=True),
    "machine's settings out of reach": _Feature("the machine's settings are safe", "", "every lab", essential=True),
    "filtered system calls": _Feature("needless system calls refused", "", "running what strangers wrote"),
    "writable /etc": _Feature("an /etc that can be changed", "overlay", "steps about name resolution", essential=True),
    "veth": _Feature("virtual cables (veth)", "veth", "every lesson", essential=True),
    "bridge": _Feature("bridges", "bridge", "lessons from `switch` on", essential=True),
    "macvlan": _Feature("macvlan", "macvlan", "the lesson on macvlan"),
    "vxlan": _Feature("VXLAN", "vxlan", "the lesson on overlays"),
    "vlan": _Feature("VLAN (802.1Q)", "8021q", "experiments of your own"),
    "ipvlan": _Feature("ipvlan", "ipvlan", "experiments of your own"),
    "dummy": _Feature("dummy interfaces", "dummy", "experiments of your own"),
    "tun": _Feature("tun and tap devices", "tun", "experiments of your own"),
    "nftables NAT": _Feature("address translation (nftables)", "nft_chain_nat and nft_masq", "the lesson `internet`, step masquerade"),
    "nftables filter": _Feature("packet filter (nftables)", "nf_tables", "the lesson `internet`, step firewall"),
    "connection tracking": _Feature("connection tracking", "nft_ct", "the lesson `internet`, step firewall"),
    "nftables trace": _Feature("following a packet through the rules", "nf_tables", "explaining where a packet died"),
    "forwarding by /proc/sys": _Feature("forwarding (/proc/sys/net)", "", "the lesson `internet`, step forwarding"),
    "forwarding by netlink": _Feature("forwarding (netlink)", "", "machines where /proc/sys cannot be written"),
    "raw ICMP socket": _Feature("ping", "", "every lesson", essential=True),
    "packet socket": _Feature("watching packets", "af_packet", "the Packets pane and tcpdump"),
    "iptables NAT": _Feature("address translation (iptables)", "xt_MASQUERADE and nft_compat", "the legacy dialect of step masquerade"),
}
_TOOLS: Final = (
    ("ip", "iproute2", "typing the commands of the `ip` dialect"),
    ("nft", "nftables", "typing firewall rules in the `ip` dialect"),
    ("ping", "iputils-ping", "pinging by hand"),
    ("nsenter", "util-linux", "the step that enters a namespace by pid"),
    ("brctl", "bridge-utils", "the `legacy` dialect"),
    ("ifconfig", "net-tools", "the `legacy` dialect"),
    ("iptables", "iptables", "the `legacy` dialect"),
    ("tcpdump", "tcpdump", "watching packets by hand"),
    ("curl", "curl", "fetching the page of example.test by hand"),
)
_SBIN: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def examine() -> Report:
    """Try everything; about 0.1 s. Never raises for what this machine cannot: that is in the report."""
    facts = gather()
    failure, told = _try_room()
    checks = (
        *room_checks(failure, facts),
        *(feature_checks(told["outcomes"], facts) if told else ()),
        *(limit_checks(Limits(**told["limits"]), tuple(told["notes"])) if told else ()),
        *tool_checks(),
    )
    return conclude(checks)


def conclude(checks: tuple[Check, ...]) -> Report:
    """The report with its last sentence."""
    failed = [check for check in checks if check.status == "failed"]
    missing = [check for check in checks if check.status == "missing"]
    if failed:
        return Report(
            checks, False, f"netless cannot run a lab here: {failed[0].name}. " + (failed[0].do or failed[0].why or failed[0].detail)
        )
    if missing:
        names = ", ".join(check.name for check in missing)
        return Report(checks, True, f"netless works here. Not available: {names}.")
    return Report(checks, True, "netless works here, with everything.")


def room_checks(failure: Failure | None, facts: Facts) -> tuple[Check, ...]:
    """One check for each stage on the way into a room: good up to the one that failed, untried after it."""
    return tuple(_stage_checks(failure, facts))


def _stage_checks(failure: Failure | None, facts: Facts) -> Iterator[Check]:
    ended = False
    for stage, title in _STAGES.items():
        if failure is None or (failure.stage != stage and not ended and failure.stage in _STAGES):
            yield Check(title, "ok")
        elif not ended:
            ended = True
            advice = explain_start(failure, facts)
            yield Check(title, "failed", failure.text, advice.why, advice.do, "every lab")


def feature_checks(outcomes: list[dict[str, Any]], facts: Facts) -> tuple[Check, ...]:
    """What was tried inside the room."""
    return tuple(_feature_check(outcome, facts) for outcome in outcomes if outcome["name"] in _FEATURES)


def _feature_check(outcome: dict[str, Any], facts: Facts) -> Check:
    feature = _FEATURES[outcome["name"]]
    if not outcome["errno"]:
        return Check(feature.title, "ok", outcome["text"])
    advice = Advice()
    if outcome["name"] == "tun" and outcome["errno"] == errno.EACCES:
        advice = DEVICE_OF_ROOT
    elif feature.module and outcome["errno"] > 0:
        advice = explain_kernel(outcome["errno"], feature.module, facts)
    return Check(feature.title, "failed" if feature.essential else "missing", outcome["text"], advice.why, advice.do, feature.needed_for)


def limit_checks(limits: Limits, notes: tuple[str, ...]) -> tuple[Check, ...]:
    """What bounds a room, and what it had to do without."""
    bounded = Check("a limit against fork bombs", "ok" if limits.processes else "missing", str(limits))
    return (bounded, *(Check("a complete room", "missing", note) for note in notes))


def tool_checks(path: str | None = None) -> tuple[Check, ...]:
    """The programs a learner types. None of them is needed by the tutor itself."""
    where = path if path is not None else f"{os.environ.get('PATH', '')}:{_SBIN}"
    return tuple(_tool_check(name, package, use, shutil.which(name, path=where)) for name, package, use in _TOOLS)


def _tool_check(name: str, package: str, needed_for: str, found: str | None) -> Check:
    if found:
        return Check(name, "ok", found)
    return Check(name, "missing", "not installed", f"it comes with the package {package}", f"sudo apt-get install {package}", needed_for)


def _try_room() -> tuple[Failure | None, dict[str, Any] | None]:
    """Make a room, run ``trial`` in it: why it could not be made, or what was told from inside."""
    reading, writing = os.pipe()
    try:
        starting = launch(f"doctor-{os.getpid()}", "netless_lab.sandbox.trial:main", argument=str(writing), pass_fds=(writing,))
    finally:
        os.close(writing)
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(reading, encoding="utf-8"))
        try:
            starting.wait().close()
        except StartError as error:
            return error.failure, None
        text = out.read()
    return None, json.loads(text)
