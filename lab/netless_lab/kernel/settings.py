"""The settings (sysctls) of a namespace back to what a snapshot says they were."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence

from .decode_link import DeviceKnobs
from .namespace import Namespace, call_in, sysctl_path
from .sysctls import KNOBS, knob_of


def put_back(namespace: Namespace, wanted: Mapping[str, str], devices: Sequence[str]) -> tuple[str, ...]:
    """Write every knob of the namespace, and of these devices, that differs from ``wanted`` (keys as in ``sysctls.py``).

    A device's knob that ``wanted`` does not name gets the usual value. Answers in words what could not be written.
    """
    return call_in(namespace, _put_back, dict(wanted), tuple(devices))


def _put_back(wanted: dict[str, str], devices: tuple[str, ...]) -> tuple[str, ...]:
    """Node-wide knobs first: writing ip_forward also writes that of every device (ip-sysctl)."""
    knobs = [(KNOBS[key], value) for key, value in wanted.items() if key in KNOBS]
    problems = [problem for key, value in knobs if (problem := _write(key, value))]
    for device in devices:
        for knob in DeviceKnobs._fields:
            value = wanted.get(f"{knob}/{device}") or _usual(knob, wanted)
            if value:
                problem = _write(knob_of(f"{knob}/{device}"), value)
                problems += [problem] if problem else []
    return tuple(problems)


def _usual(knob: str, wanted: Mapping[str, str]) -> str:
    """What a device has when a snapshot does not say: forwarding as the node, anything else as a new device."""
    return wanted.get("ip_forward", "") if knob == "forwarding" else _read(f"net/ipv4/conf/default/{knob}")


def _read(key: str) -> str:
    with contextlib.suppress(OSError), open(sysctl_path(key), encoding="ascii") as file:
        return file.read().strip()
    return ""


def _write(key: str, value: str) -> str:
    """Write when it differs; "" when all is well or there is no such knob."""
    if _read(key) in (value, ""):
        return ""
    try:
        fd = os.open(sysctl_path(key), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode("ascii"))
        finally:
            os.close(fd)
    except OSError as error:
        return f"could not set {key} to {value}: {error.strerror}"
    return ""
