"""The kernel's half of each action: one function for one class of ``primitives``, listed in ``apply``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_interface
from typing import Final

from ..model.knobs import slashed
from ..primitives.address import AddAddress, DeleteAddress
from ..primitives.base import Where
from ..primitives.bridge import AddPort, CreateBridge, RemovePort
from ..primitives.cable import CreateVeth, MoveLink
from ..primitives.doors import ESTABLISHED, LESSONS, AcceptIn, Door, UnacceptIn, condition
from ..primitives.forward import ForwardAccept, ForwardPolicy, UnforwardAccept, UnforwardPolicy
from ..primitives.lab_table import FAMILY, NAME
from ..primitives.link import DeleteLink, RenameLink, SetMtu
from ..primitives.masquerade import Masquerade, Unmasquerade, of_network
from ..primitives.namespace import AddNetns, DeleteNetns, NameAttach, NameSymlink, StartContainer, StopContainer, Unname
from ..primitives.neighbour import DeleteNeighbour, SetNeighbour
from ..primitives.resolver import FILE, ClearResolver, SetResolver
from ..primitives.route import AddRoute, DeleteRoute
from ..primitives.run import Run
from ..primitives.sysctl import KEY, SetForwarding, SetSysctl
from ..primitives.updown import LinkDown, LinkUp
from ..room import NETNS
from .discover import inhabited
from .lab_table import delete_chain, delete_rule, make_chain
from .mounts import name_by_mount, name_by_symlink, take_name
from .namespace import Namespace, call_in, call_in_new, write_sysctl
from .nft import expressions as say
from .prompt import run_to_end
from .rooted import write_text
from .sweep import delete_all
from .toolbox import Toolbox

_AF_INET6: Final = 10
LONGEST_S: Final = 60.0
"""How long a command line of ``Run`` may take, in seconds."""


def start_container(tools: Toolbox, action: StartContainer) -> None:
    """The launcher's work; the next action of the batch may speak of the new node already."""
    tools.made(tools.launcher.launch(action.node))


def stop_container(tools: Toolbox, action: StopContainer) -> None:
    """The launcher's work, once nothing of ours holds the namespace. Raises NoSuchNode when no such container runs."""
    tools.pid(action.node)
    tools.gone(action.node)
    tools.launcher.stop(action.node)


def add_netns(tools: Toolbox, action: AddNetns) -> None:
    """A thread enters a new namespace, the name is mounted on it, the thread ends, the name keeps it."""
    call_in_new(name_by_mount, "/proc/thread-self/ns/net", action.name)


def delete_netns(tools: Toolbox, action: DeleteNetns) -> None:
    """Its links first, when nobody lives in it: else the far ends of their cables would stay for 20 ms and block their names."""
    path = f"{NETNS}/{action.name}"
    if os.path.exists(path) and os.stat(path).st_ino not in inhabited():
        with Namespace.at(path) as namespace:
            delete_all(namespace)
    tools.gone(action.name)
    take_name(action.name)


def name_symlink(tools: Toolbox, action: NameSymlink) -> None:
    """A link into /proc: it leads to whatever process has that number."""
    name_by_symlink(f"/proc/{tools.pid(action.node)}/ns/net", action.name)


def name_attach(tools: Toolbox, action: NameAttach) -> None:
    """A mount: it keeps the namespace alive."""
    name_by_mount(f"/proc/{tools.pid(action.node)}/ns/net", action.name)


def unname(tools: Toolbox, action: Unname) -> None:
    """Either kind."""
    take_name(action.name)


def create_veth(tools: Toolbox, action: CreateVeth) -> None:
    """Both ends in one request; the far end is born in its own namespace when one is named (veth(4), VETH_INFO_PEER)."""
    peer: dict[str, str | int] = {"ifname": action.peer}
    with ExitStack() as held:
        if action.peer_node is not None and action.peer_node != action.node:
            peer["net_ns_fd"] = held.enter_context(tools.namespace(action.peer_node).held())
        tools.route(action.node).link("add", ifname=action.name, kind="veth", peer=peer)


def move_link(tools: Toolbox, action: MoveLink) -> None:
    """IFLA_NET_NS_FD. The kernel waits about 25 ms for every CPU to let go of the interface."""
    index = tools.index(action.source, action.name)
    with tools.namespace(action.target).held() as fd:
        tools.route(action.source).link("set", index=index, net_ns_fd=fd)


def delete_link(tools: Toolbox, action: DeleteLink) -> None:
    """RTM_DELLINK; a cable goes with both ends. The kernel waits about 15 ms for every CPU to let go of it."""
    tools.route(action.node).link("del", index=tools.index(action.node, action.name))


def rename_link(tools: Toolbox, action: RenameLink) -> None:
    """A new IFLA_IFNAME for the same index."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), ifname=action.new)


def set_mtu(tools: Toolbox, action: SetMtu) -> None:
    """A new IFLA_MTU."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), mtu=action.size)


def link_up(tools: Toolbox, action: LinkUp) -> None:
    """Set IFF_UP."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), state="up")


def link_down(tools: Toolbox, action: LinkDown) -> None:
    """Clear IFF_UP."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), state="down")


def add_address(tools: Toolbox, action: AddAddress) -> None:
    """RTM_NEWADDR."""
    _change_address("add", tools, action)


def delete_address(tools: Toolbox, action: DeleteAddress) -> None:
    """RTM_DELADDR."""
    _change_address("del", tools, action)


def _change_address(change: str, tools: Toolbox, action: AddAddress | DeleteAddress) -> None:
    own = ip_interface(action.cidr)
    index = tools.index(action.node, action.link)
    tools.route(action.node).addr(change, index=index, address=str(own.ip), prefixlen=own.network.prefixlen)


def create_bridge(tools: Toolbox, action: CreateBridge) -> None:
    """RTM_NEWLINK of kind bridge."""
    tools.route(action.node).link("add", ifname=action.name, kind="bridge")


def add_port(tools: Toolbox, action: AddPort) -> None:
    """IFLA_MASTER is the bridge's index."""
    index, bridge = tools.index(action.node, action.name), tools.index(action.node, action.bridge)
    tools.route(action.node).link("set", index=index, master=bridge)


def remove_port(tools: Toolbox, action: RemovePort) -> None:
    """IFLA_MASTER is 0."""
    tools.route(action.node).link("set", index=tools.index(action.node, action.name), master=0)


def add_route(tools: Toolbox, action: AddRoute) -> None:
    """RTM_NEWROUTE with protocol boot, as ip(8) and route(8) write it; a route to no gateway has the scope link."""
    words: dict[str, str | int] = {"proto": "boot"}
    if action.via is None and not _is_v6(action):
        words["scope"] = "link"
    tools.route(action.node).route("add", **_route_words(tools, action), **words)


def delete_route(tools: Toolbox, action: DeleteRoute) -> None:
    """RTM_DELROUTE of the first route that fits."""
    scope = {"scope": "link"} if action.via is None and not _is_v6(action) else {}
    tools.route(action.node).route("del", **_route_words(tools, action), **scope)


def _route_words(tools: Toolbox, action: AddRoute | DeleteRoute) -> dict[str, str | int]:
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


def set_neighbour(tools: Toolbox, action: SetNeighbour) -> None:
    """RTM_NEWNEIGH, permanent, in the place of what was there."""
    index = tools.index(action.node, action.link)
    tools.route(action.node).neigh("replace", dst=action.ip, lladdr=action.mac, ifindex=index, state="permanent")


def delete_neighbour(tools: Toolbox, action: DeleteNeighbour) -> None:
    """RTM_DELNEIGH."""
    tools.route(action.node).neigh("del", dst=action.ip, ifindex=tools.index(action.node, action.link))


def set_forwarding(tools: Toolbox, action: SetForwarding) -> None:
    """Write net.ipv4.ip_forward; the kernel copies it to every interface of the node (ip-sysctl)."""
    write_sysctl(tools.namespace(action.node), slashed(KEY), "1" if action.on else "0")


def set_sysctl(tools: Toolbox, action: SetSysctl) -> None:
    """Write the file below /proc/sys from inside the namespace."""
    write_sysctl(tools.namespace(action.node), slashed(action.key), action.value)


def forward_policy(tools: Toolbox, action: ForwardPolicy) -> None:
    """Table and base chain, or a new policy for it."""
    make_chain(tools.batch(action.node), "forward", action.policy, action.chain).commit()


def unforward_policy(tools: Toolbox, action: UnforwardPolicy) -> None:
    """The chain goes with its rules."""
    delete_chain(tools.namespace(action.node), tools.batch(action.node), action.chain)


def forward_accept(tools: Toolbox, action: ForwardAccept) -> None:
    """One rule at the end of the chain."""
    _accept(tools, action.node, action.what, LESSONS)


def unforward_accept(tools: Toolbox, action: UnforwardAccept) -> None:
    """The first rule of its kind."""
    _unaccept(tools, action.node, action.what, LESSONS)


def accept_in(tools: Toolbox, action: AcceptIn) -> None:
    """In each chain by the tool that it is of."""
    _at_doors(tools, action, _accept, Door.line)


def unaccept_in(tools: Toolbox, action: UnacceptIn) -> None:
    """The first rule of its kind in each."""
    _at_doors(tools, action, _unaccept, Door.line_away)


def _at_doors(
    tools: Toolbox, action: AcceptIn | UnacceptIn, do: Callable[[Toolbox, str, str, Door], None], line: Callable[[Door, Where, str, str], str]
) -> None:
    for door in action.doors:
        if door.tool == "nft":
            do(tools, action.node, action.what, door)
        else:
            run(tools, Run(line(door, Where(action.node), action.node, action.what), action.node))


def _accept(tools: Toolbox, node: str, what: str, door: Door) -> None:
    batch = tools.batch(node)
    if door.born:
        make_chain(batch, "forward", name=door.chain)
    match = say.ct_state("established", "related") if what == ESTABLISHED else say.iifname(what)
    before = door.handle if door.before is not None else None
    batch.add_rule(door.family, door.table, door.chain, match, say.counter(), say.accept(), before=before).commit()


def _unaccept(tools: Toolbox, node: str, what: str, door: Door) -> None:
    place = (door.family, door.table, door.chain)
    delete_rule(tools.namespace(node), tools.batch(node), place, condition(what), tidy=door.born)


def masquerade(tools: Toolbox, action: Masquerade) -> None:
    """The table, then chain and rule in one transaction."""
    batch = make_chain(tools.batch(action.node), "postrouting", name=action.chain)
    rule = (say.saddr(action.net), say.oifname(action.bridge, "!="), say.counter(), say.masquerade())
    batch.add_rule(FAMILY, NAME, action.chain, *rule).commit()


def unmasquerade(tools: Toolbox, action: Unmasquerade) -> None:
    """The rule for this network, and what is empty then."""
    place = (FAMILY, NAME, action.chain)
    delete_rule(tools.namespace(action.node), tools.batch(action.node), place, of_network(action.net), tidy=True)


def set_resolver(tools: Toolbox, action: SetResolver) -> None:
    """One line in the file as the node's process sees it; written in place, for the file may be a mount."""
    _write_resolver(tools, action.node, f"nameserver {action.server}\n")


def clear_resolver(tools: Toolbox, action: ClearResolver) -> None:
    """An empty file."""
    _write_resolver(tools, action.node, "")


def _write_resolver(tools: Toolbox, node: str, text: str) -> None:
    write_text(f"/proc/{tools.pid(node)}/root", FILE, text)


class CommandFailed(Exception):
    """The line did not end well: how, and the last thing it said."""


def run(tools: Toolbox, action: Run) -> None:
    """sh(1) in the node's network namespace, once what was built just now is ready for packets.

    What the line leaves in the background goes on running. Raises CommandFailed for any exit status but 0, and after LONGEST_S.
    """
    namespace = tools.namespace(action.node)
    tools.settle()
    ended = call_in(namespace, run_to_end, ["sh", "-c", action.line], seconds=LONGEST_S)
    if ended.status is None:
        raise CommandFailed(f"it did not end within {LONGEST_S:g} seconds and was stopped")
    if ended.status:
        raise CommandFailed(f"exit status {ended.status}: {ended.last_line or 'it said nothing'}")
