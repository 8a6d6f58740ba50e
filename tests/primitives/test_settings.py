"""What is said of a setting is what sysctl(8) says of it: of a node, of a device that has it as usual, and of one that has its own."""

from __future__ import annotations

import random

import msgspec
import pytest

from helpers.lab import action, expectation, lab
from helpers.sandboxed import sandboxed
from helpers.snapshots import bridge, host, uplink
from helpers.snapshots import lab as drawn
from netless_lab.ground.plan import missed, plan
from netless_lab.model.knobs import KNOBS, OF_DEVICES, path, short, whole
from netless_lab.primitives.base import Met, NotMet, Where

USUAL = {"default.rp_filter": "0", "default.proxy_arp": "0", "default.route_localnet": "0", "rp_filter": "0"}
HERE = drawn(msgspec.structs.replace(host(uplink(), bridge("br0")), sysctls={"ip_forward": "1", "rp_filter/eth0": "2", **USUAL}))


@pytest.mark.parametrize("key", [*KNOBS, "forwarding/br0", "rp_filter/eth0.7", "proxy_arp/$x;y"])
def test_every_key_is_spelt_and_read(key: str) -> None:
    """With dots and with slashes, as sysctl(8) takes it."""
    assert short(path(key)) == short(whole(key)) == key


@pytest.mark.parametrize(
    ("key", "value"), [("rp_filter", "0"), ("eth0.rp_filter", "2"), ("br0.rp_filter", "0"), ("br0.forwarding", "1"), ("lo.route_localnet", "0")]
)
def test_a_device_has_its_own_setting_or_the_usual_one(key: str, value: str) -> None:
    """A snapshot says nothing of a device that has it as all have."""
    key = f"net.ipv4.conf.{key}" if "." in key else f"net.ipv4.conf.all.{key}"
    for said, kind in ((value, Met), ("7", NotMet)):
        found = expectation({"sysctl": key, "value": said}).check(HERE, Where())
        assert isinstance(found, kind)
    assert isinstance(found, NotMet) and found.seen == f"{key} is {value}"


def test_what_is_not_there_is_told_so() -> None:
    """A device that nobody made, and a setting of a module that is not loaded."""
    for key in ("net.ipv4.conf.br9.rp_filter", "net.bridge.bridge-nf-call-iptables"):
        found = expectation({"sysctl": key, "value": "0"}).check(HERE, Where())
        assert isinstance(found, NotMet) and found.seen == f"{key} is not there"


@pytest.mark.parametrize("key", ["net.core.somaxconn", "net.ipv6.conf.eth0.forwarding", "net.ipv6.conf.default.forwarding", "net.ipv4.conf.default.forwarding"])
def test_what_no_snapshot_holds_cannot_be_expected(key: str) -> None:
    """Nobody could tell whether it is so: the page is refused, and told what can be asked. Setting it is another matter."""
    with pytest.raises(msgspec.ValidationError, match=r"in no snapshot.*net\.ipv4\.ip_forward"):
        expectation({"sysctl": key, "value": "1"})
    assert action({"sysctl": key, "value": "1"}).outline(HERE) == HERE


@pytest.mark.parametrize(
    ("table", "now"),
    [
        ({"sysctl": "net.ipv4.conf.br0.rp_filter", "value": "0"}, {}),
        ({"sysctl": "net.ipv4.conf.br0.rp_filter", "value": "2"}, {"rp_filter/br0": "2"}),
        ({"sysctl": "net.ipv4.conf.eth0.rp_filter", "value": "0"}, {"rp_filter/eth0": None}),
        ({"forwarding": False}, {"ip_forward": "0"}),
    ],
)
def test_what_a_setting_comes_to_is_as_a_snapshot_has_it(table: dict[str, object], now: dict[str, str | None]) -> None:
    """A device that is as all others stands in none: nothing is missed once it is so."""
    made = plan((action({"sysctl": "net.ipv4.conf.br0.proxy_arp", "value": "0"}), action(table)), HERE)
    after = {key: value for key, value in {**HERE.nodes[0].sysctls, **now}.items() if value is not None}
    seen = msgspec.structs.replace(HERE, nodes=(msgspec.structs.replace(HERE.nodes[0], sysctls=after),))
    assert missed(made, seen) == ()


@sandboxed
def test_every_setting_is_what_sysctl_says() -> None:
    """Whatever was written in whatever order: for all, for new devices, for one; and for the sketch of a change that was made as planned."""
    with lab() as own:
        own.do({"bridge": "br0"})
        dice = random.Random(11)
        keys = [whole(key) for key in KNOBS if not key.startswith(("bridge-nf", "ip_unpriv", "ip_default", "v6"))]
        keys += [f"net.ipv4.conf.{device}.{knob}" for device in ("br0", "eth0", "lo") for knob in OF_DEVICES]
        for _ in range(60):
            wanted = action({"sysctl": dice.choice(keys), "value": str(dice.randrange(2))})
            made = plan((wanted,), own.snapshot())
            own.type(wanted, "ip", Where())
            now = own.snapshot()
            assert missed(made, now) == ()
            for key in keys:
                value = own.shell("host", f"sysctl -n {key}").strip()
                assert isinstance(expectation({"sysctl": key, "value": value}).check(now, Where()), Met), key
                assert isinstance(expectation({"sysctl": key, "value": "9"}).check(now, Where()), NotMet), key
