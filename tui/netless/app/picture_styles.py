"""What each style word of a scene looks like: theme variables only, so that a change of theme repaints the same scene."""

from __future__ import annotations

from netless_lab.model.scene import STYLES

LOOKS: dict[str, str] = {
    "": "$foreground",
    "node-host": "$host",
    "node-host-title": "bold $foreground",
    "node-internet": "$internet",
    "node-internet-title": "bold $foreground",
    "node-router": "$internet",
    "node-router-title": "bold $foreground",
    "node-unknown": "$faint",
    "node-unknown-title": "bold $muted",
    "container-0": "$box-1",
    "container-0-title": "bold $box-1",
    "container-1": "$box-2",
    "container-1-title": "bold $box-2",
    "container-2": "$box-3",
    "container-2-title": "bold $box-3",
    "chip": "$chip",
    "address": "$foreground",
    "dim": "$muted",
    "ghost": "$faint",
    "more": "$warning",
    "bridge": "bold $bridge",
    "bridge-wait": "$bridge",
    "bridge-down": "$muted",
    "port-up": "$success",
    "port-wait": "$warning",
    "port-down": "$muted",
    "dead": "bold $error",
    "wire-up": "$wire",
    "wire-wait": "$muted",
    "wire-down": "$faint",
    "route": "$wire",
    "gate-open": "bold $success",
    "gate-narrow": "bold $warning",
    "gate-closed": "bold $error",
    "gate-absent": "$faint",
    "gate-unknown": "$muted",
}
"""Style word -> style. ``missing`` names the words of the scene that have no look yet; a test keeps it empty."""


def missing() -> tuple[str, ...]:
    """Style words a scene can carry that have no look here."""
    return tuple(style for style in STYLES if style not in LOOKS)
