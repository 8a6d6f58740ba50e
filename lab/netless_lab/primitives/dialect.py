"""How a learner may say the same thing."""

from __future__ import annotations

from typing import Literal, get_args

Dialect = Literal["ip", "legacy", "pyroute2"]
"""iproute2 and nft; brctl, ifconfig, route, iptables; Python."""
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
