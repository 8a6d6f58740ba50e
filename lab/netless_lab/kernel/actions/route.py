"""Adding and deleting routes."""

from __future__ import annotations

from ...primitives.route import AddRoute, DeleteRoute
from ..toolbox import Toolbox

_AF_INET6 = 10


def add_route(tools: Toolbox, action: AddRoute) -> None:
    """RTM_NEWROUTE with protocol boot, as ip(8) and route(8) write it; a route to no gateway has the scope link."""
    words: dict[str, str | int] = {"proto": "boot"}
    if action.via is None and not _is_v6(action):
        words["scope"] = "link"
    tools.route(action.node).route("add", **_words(tools, action), **words)


def delete_route(tools: Toolbox, action: DeleteRoute) -> None:
    """RTM_DELROUTE of the first route that fits."""
    scope = {"scope": "link"} if action.via is None and not _is_v6(action) else {}
    tools.route(action.node).route("del", **_words(tools, action), **scope)


def _words(tools: Toolbox, action: AddRoute | DeleteRoute) -> dict[str, str | int]:
    words: dict[str, str | int] = {"dst": action.dst}
    if _is_v6(action):
        words["family"] = _AF_INET6
    if action.via is not None:
        words["gateway"] = action.via
    if action.dev is not None:
        words["oif"] = tools.index(action.node, action.dev)
    return words


def _is_v6(action: AddRoute | DeleteRoute) -> bool:
    return ":" in action.dst or ":" in (action.via or "")
