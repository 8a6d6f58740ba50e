"""Networks with a name: the steps of the post one after the other, and shapes a curious learner builds besides."""

from __future__ import annotations

from helpers.snapshots import (
    bridge,
    container,
    default,
    edit,
    forward_drop,
    host,
    internet,
    lab,
    lab_with,
    link,
    masquerade,
    node,
    uplink,
    veth,
    vxlan,
)
from netless_lab.model.snapshot import BridgePort, Name, Route, Snapshot

OUT = (default("203.0.113.1", "eth0"),)


def steps() -> dict[str, Snapshot]:
    """The post's stages for one container, in order; the last is also the lesson's goal."""
    empty = lab(host(uplink(), routes=OUT), container("c1", lo_up=False), internet())
    named = lab(host(uplink(), routes=OUT), container("c1", names=("4711",)), internet())
    loose = [veth("veth1", "host:veth2", up=False), veth("veth2", "host:veth1", up=False)]
    pair = lab(host(uplink(), *loose, routes=OUT), container("c1"), internet())
    moved = lab(
        host(uplink(), veth("veth2", "c1:veth1", up=False), routes=OUT), container("c1", veth("veth1", "host:veth2", up=False)), internet()
    )
    inside = container("c1", veth("veth1", "host:veth2", "10.0.0.2/24"))
    addressed = lab(host(uplink(), veth("veth2", "c1:veth1", up=False), routes=OUT), inside, internet())
    bare = lab(host(uplink(), bridge("br0", up=False), veth("veth2", "c1:veth1", up=False), routes=OUT), inside, internet())
    plugged = lab(
        host(uplink(), bridge("br0", "10.0.0.1/24", carrier=False), veth("veth2", "c1:veth1", up=False, master="br0"), routes=OUT),
        inside,
        internet(),
    )
    switched = lab_with(1, nat=False, forwarding=False)
    return {
        "1-empty": empty,
        "2-named": named,
        "3-pair": pair,
        "4-moved": moved,
        "5-addressed": addressed,
        "6-bridge": bare,
        "7-port": plugged,
        "8-switched": switched,
        "9-forwarding": lab_with(1, nat=False),
        "10-masquerade": lab_with(1),
        "11-firewall-shut": lab_with(1, firewall=forward_drop()),
        "12-firewall-open": goal(),
    }


def goal(containers: int = 1) -> Snapshot:
    """The lesson's last network."""
    return lab_with(containers, firewall=forward_drop("ct state established,related", 'iifname "br0"'))


def shapes() -> dict[str, Snapshot]:
    """Everything else that must be drawn."""
    br0, br1 = bridge("br0", "10.0.0.1/24"), bridge("br1", "10.0.1.1/24")
    nat = (masquerade(),)
    return {
        "decoy": lab(
            host(),
            container("c1", names=("4711",)),
            node("decoy", "unknown", names=("decoy",), lo_up=False),
            names=(Name("4711", 1, "symlink", 4711), Name("40995", None, "symlink", 40995)),
        ),
        "one-end-down": edit(lab_with(2), "host", "veth4", up=False),
        "two-bridges": lab(
            host(
                uplink(), br0, br1, veth("veth2", "c1:eth0", master="br0"), veth("veth4", "c2:eth0", master="br0"),
                veth("veth5", "c2:eth1", master="br1"), veth("veth6", "c3:eth0", master="br1"), forwarding=True, chains=nat, routes=OUT,
            ),
            container("c1", veth("eth0", "host:veth2", "10.0.0.2/24")),
            container("c2", veth("eth0", "host:veth4", "10.0.0.3/24"), veth("eth1", "host:veth5", "10.0.1.3/24")),
            container("c3", veth("eth0", "host:veth6", "10.0.1.2/24")),
            internet(),
        ),
        "bridges-crossed": lab(
            host(uplink(), br0, br1, *[veth(f"v{i}{j}", f"c{i}:eth{j}", master=f"br{j}") for i in (1, 2, 3) for j in (0, 1)], routes=OUT),
            *[
                container(f"c{i}", veth("eth0", f"host:v{i}0", f"10.0.0.{i + 1}/24"), veth("eth1", f"host:v{i}1", f"10.0.1.{i + 1}/24"))
                for i in (1, 2, 3)
            ],
            internet(),
        ),
        "bridges-joined": lab(
            host(
                br0, bridge("br1"), veth("j0", "host:j1", master="br0"), veth("j1", "host:j0", master="br1"),
                veth("veth2", "c1:veth1", master="br0"), veth("veth4", "c2:veth3", master="br1"),
            ),
            container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")),
            container("c2", veth("veth3", "host:veth4", "10.0.0.3/24")),
        ),
        "bridge-in-container": lab(
            host(),
            container(
                "c1", bridge("br0", "10.9.0.1/24"), veth("veth3", "c2:veth4", master="br0"),
                veth("veth5", "c3:veth6", master="br0", up=False),
            ),
            container("c2", veth("veth4", "c1:veth3", "10.9.0.2/24")),
            container("c3", veth("veth6", "c1:veth5", "10.9.0.3/24")),
        ),
        "cable-between-containers": lab(
            host(uplink()), container("c1", veth("a", "c2:b", "10.1.1.1/32")), container("c2", veth("b", "c1:a", "10.1.1.2/32")), internet()
        ),
        "loose-cables": lab(
            host(veth("x1", "host:x2"), veth("x2", "host:x1", up=False), veth("y1", "host:y2"), veth("y2", "host:y1")),
            container("c1", veth("p", "c1:q"), veth("q", "c1:p")),
            container("c2", veth("z", ":if7")),
        ),
        "macvlan": lab(
            host(uplink(), link("mv0", kind="macvlan", peer="host:eth0", mode="bridge")),
            container("c1", link("mv1", "203.0.113.11/24", kind="macvlan", peer="host:eth0", mode="bridge")),
            internet(),
        ),
        "tunnels": lab(
            host(
                uplink(), bridge("br0"), vxlan("vxlan100", 100, remote="192.0.2.2", master="br0"),
                link("tap0", kind="tun", mode="tap", master="br0", carrier=False), link("tun0", "10.8.0.1/24", kind="tun", mode="tun"),
            ),
            container("c1", vxlan("vx1", 7)),
            internet(),
        ),
        "routed": lab(
            host(
                uplink(), veth("cali1", "c1:eth0", "169.254.1.1/32"), veth("cali2", "c2:eth0"), forwarding=True,
                routes=(*OUT, Route("10.77.0.5/32", dev="cali1"), Route("10.77.0.6/32", dev="cali2")),
            ),
            container("c1", veth("eth0", "host:cali1", "10.77.0.5/32")),
            container("c2", veth("eth0", "host:cali2", "10.77.0.6/32")),
            internet(),
        ),
        "two-uplinks": lab(
            host(
                uplink(), veth("eth1", "isp2:wan", "192.0.2.2/24"), br0, veth("veth2", "c1:veth1", master="br0"),
                forwarding=True, chains=(*nat, forward_drop()), routes=OUT,
            ),
            container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")),
            internet(),
            node("isp2", "router", veth("wan", "host:eth1", "192.0.2.1/24")),
        ),
        "uplink-in-bridge": lab(
            host(veth("eth0", "internet:isp0", master="br0"), bridge("br0", "203.0.113.2/24"), veth("veth2", "c1:veth1", master="br0")),
            container("c1", veth("veth1", "host:veth2", "203.0.113.9/24")),
            internet(),
        ),
        "many-addresses": lab(
            host(
                uplink(), bridge("br0", "10.0.0.1/24", "fd00:10::1/64", "10.0.9.1/24", "fe80::1/64"),
                veth("veth2", "c1:veth1", master="br0"), forwarding=True, routes=OUT,
            ),
            container("c1", veth("veth1", "host:veth2", "fe80::2/64", "fd00:10::2/64", "10.0.0.2/24", "10.0.0.3/24")),
            internet(),
        ),
        "round-the-host": lab(
            host(uplink()),
            container("c1", veth("v1", "internet:x1", "192.0.2.9/24")),
            container("c2"),
            internet(veth("isp0", "host:eth0", "203.0.113.1/24"), veth("x1", "c1:v1", "192.0.2.1/24")),
        ),
        "no-host": lab(
            node("h1", "router", bridge("br0"), veth("a", "h2:b"), veth("p", "c1:eth0", master="br0")),
            node("h2", "router", veth("b", "h1:a", "192.0.2.2/24")),
            container("c1", veth("eth0", "h1:p", "10.0.0.2/24")),
        ),
        "blocked-port": lab(
            host(
                br0, veth("veth2", "c1:veth1", master="br0", port=BridgePort("blocking")),
                veth("veth4", "c2:veth3", master="br0", port=BridgePort("listening")),
            ),
            container("c1", veth("veth1", "host:veth2")),
            container("c2", veth("veth3", "host:veth4", up=False)),
        ),
    }  # fmt: skip
