"""The targets by name."""

from __future__ import annotations

from fuzz import dns, faults, lessons, packets, progress, protocol, terminal

TARGETS = {module.TARGET.name: module.TARGET for module in (protocol, lessons, faults, progress, packets, dns, terminal)}
