"""Any right answer counts: the learner's own names, ends, addresses and subnet are found in the kernel's state."""

from __future__ import annotations

import msgspec
import pytest

from helpers.post import course, step, steps_until
from helpers.snapshots import (
    bridge,
    container,
    default,
    edit,
    edit_node,
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
from netless_lab.course.bind import closest, found_again, fresh, infer, refit
from netless_lab.course.bindings import Bindings
from netless_lab.course.outline import outline, start
from netless_lab.course.parse import parse_lesson
from netless_lab.course.step import Position, positions, step_at
from netless_lab.model.snapshot import Link, Name, Snapshot
from netless_lab.primitives.base import Finding, Where
from netless_lab.primitives.cable import VethPair
from netless_lab.session.state import actions_before

EMPTY = Bindings()
OWN = Bindings(
    links={"veth1": "left", "veth2": "right", "br0": "sw0"},
    addresses={"10.0.0.1": "192.168.7.254"},
    nets={"10.0.0.0/24": "192.168.7.0/24"},
)


def loose(left: str = "left", right: str = "right", *more: Link) -> Snapshot:
    """A cable on the host's table, beside the uplink."""
    ends = (veth(left, f"host:{right}", up=False), veth(right, f"host:{left}", up=False))
    return lab(host(uplink(), *ends, *more), container("c1"), internet())


def plugged(inside: str = "left", outside: str = "right", *addresses: str, **more: Link) -> Snapshot:
    """One end in c1."""
    return lab(
        host(uplink(), veth(outside, f"c1:{inside}", up=False)),
        container("c1", veth(inside, f"host:{outside}", *addresses, **more)),
        internet(),
    )


def own_network(c1: str = "192.168.7.2/24", br: str = "192.168.7.254/24") -> Snapshot:
    """The whole network of the post in the learner's own words."""
    rules = (masquerade("192.168.7.0/24", "sw0"),)
    return lab(
        host(uplink(), bridge("sw0", br), veth("right", "c1:left", master="sw0"), forwarding=True, chains=rules),
        container("c1", veth("left", "host:right", c1), routes=(default(br.partition("/")[0], "left"),)),
        internet(),
    )


def test_the_lessons_own_names_need_no_binding() -> None:
    """With veth1, veth2, br0 and 10.0.0.0/24 every building step holds and nothing is bound."""
    built = lab_with(1)
    for path in ("cable/pair", "cable/plug", "cable/address", "cable/switch-on", "switch/port", "switch/gateway", "internet/masquerade"):
        assert infer(step(path), built, EMPTY) == EMPTY, path


def test_a_cable_of_any_name() -> None:
    """``ip link add left type veth peer name right``: veth1 is left, veth2 is right."""
    assert infer(step("cable/pair"), loose(), EMPTY) == Bindings(links={"veth1": "left", "veth2": "right"})


@pytest.mark.parametrize(("first", "second"), [("left", "right"), ("right", "left")])
def test_the_end_that_was_named_first_is_the_lessons_first(first: str, second: str) -> None:
    """``ip link add FIRST type veth peer name SECOND``: the kernel makes the peer first, so that it has the lower index (veth_newlink)."""
    made = edit(edit(loose(), "host", second, ifindex=40), "host", first, ifindex=41)
    assert infer(step("cable/pair"), made, EMPTY) == Bindings(links={"veth1": first, "veth2": second})


def test_the_uplink_is_never_taken_for_the_learners_cable() -> None:
    """eth0 on the host is a veth end too; with nothing else there is no pair."""
    assert infer(step("cable/pair"), lab(host(uplink()), container("c1"), internet()), EMPTY) is None


def test_what_was_there_before_is_never_taken() -> None:
    """A foreign cable of the baseline (host mode) is not the learner's, one made later is."""
    before = loose("foreign0", "foreign1")
    assert infer(step("cable/pair"), before, EMPTY, before) is None
    pair = (veth("a", "host:b", up=False), veth("b", "host:a", up=False))
    after = edit(edit(loose("foreign0", "foreign1", *pair), "host", "b", ifindex=40), "host", "a", ifindex=41)
    assert infer(step("cable/pair"), after, EMPTY, before) == Bindings(links={"veth1": "a", "veth2": "b"})


@pytest.mark.parametrize(("inside", "outside"), [("left", "right"), ("right", "left")])
def test_either_end_may_be_plugged_in(inside: str, outside: str) -> None:
    """The ends of a cable are alike: whichever went into c1 is veth1 from then on."""
    found = infer(step("cable/plug"), plugged(inside, outside), Bindings(links={"veth1": "left", "veth2": "right"}))
    assert found == Bindings(links={"veth1": inside, "veth2": outside})


def test_the_lessons_own_cable_may_be_turned_round() -> None:
    """veth2 in c1 and veth1 on the host: right, and said with the names that are there."""
    assert infer(step("cable/plug"), plugged("veth2", "veth1"), EMPTY) == Bindings(links={"veth1": "veth2", "veth2": "veth1"})


def test_a_cable_with_both_ends_on_the_host_is_not_plugged_in() -> None:
    """No choice of names makes an unmoved cable a moved one."""
    assert infer(step("cable/plug"), loose(), Bindings(links={"veth1": "left", "veth2": "right"})) is None


@pytest.mark.parametrize("cidr", ["192.168.7.2/24", "172.20.0.5/16", "10.99.0.2/24", "10.0.0.77/24"])
def test_any_address_of_any_sensible_network(cidr: str) -> None:
    """The container's address may be the learner's own choice, and so may its network."""
    bound = Bindings(links={"veth1": "left", "veth2": "right"})
    found = infer(step("cable/address"), plugged("left", "right", cidr), bound)
    assert found is not None and found.cidr("10.0.0.2/24") == cidr


@pytest.mark.parametrize("cidr", ["10.0.0.2/32", "10.0.0.2/30", "192.168.7.2/32", "203.0.113.9/24"])
def test_a_slip_is_not_a_choice(cidr: str) -> None:
    """A wrong prefix on the lesson's own network, a network of one, the uplink's network: the step stays open."""
    assert infer(step("cable/address"), plugged("veth1", "veth2", cidr), EMPTY) is None


def test_a_wider_network_is_no_other_one() -> None:
    """The lesson's own address in a wider network is that address still, and whoever follows may have either prefix."""
    assert infer(step("cable/address"), plugged("veth1", "veth2", "10.0.0.2/8"), EMPTY) == EMPTY


def test_an_address_on_another_link_is_not_the_one() -> None:
    """The address is on the host's end: no binding of addresses makes that right."""
    snapshot = lab(host(veth("veth2", "c1:veth1", "192.168.7.2/24")), container("c1", veth("veth1", "host:veth2")))
    assert infer(step("cable/address"), snapshot, EMPTY) is None


def test_later_addresses_follow_the_network() -> None:
    """Once 10.0.0.0/24 means 192.168.7.0/24, the gateway must lie in it; .1 needs no search, any other host number is found."""
    bound = Bindings(links={"veth1": "left", "veth2": "right", "br0": "sw0"}, nets={"10.0.0.0/24": "192.168.7.0/24"})
    assert infer(step("switch/gateway"), own_network(br="192.168.7.1/24"), bound) == bound
    found = infer(step("switch/gateway"), own_network(), bound)
    assert found is not None and found.address("10.0.0.1") == "192.168.7.254" and found.address("10.0.0.2") == "192.168.7.2"
    assert infer(step("switch/gateway"), own_network(br="192.168.8.1/24"), bound) is None


def test_the_gateway_cannot_be_the_containers_own_address() -> None:
    """An address that is somebody's already is not taken for a second one."""
    taken = lab(host(bridge("br0", "10.0.0.2/24")), container("c1", veth("veth1", "host:veth2", "10.0.0.2/24")))
    assert infer(step("switch/gateway"), taken, EMPTY) is None


def test_when_the_learner_takes_the_gateways_number() -> None:
    """10.0.0.1 given to c1: the gateway's word changes places with it, so that prose never names one address twice."""
    found = infer(step("cable/address"), plugged("veth1", "veth2", "10.0.0.1/24"), EMPTY)
    assert found is not None
    assert (found.address("10.0.0.2"), found.address("10.0.0.1")) == ("10.0.0.1", "10.0.0.2")


def test_the_whole_course_in_other_words() -> None:
    """Names, subnet and gateway of the learner's own choice, found from the finished network at once."""
    snapshot = own_network()
    found = refit(steps_until("internet/masquerade"), snapshot, EMPTY)
    assert found == OWN
    for path in ("cable/plug", "cable/switch-on", "switch/port", "internet/default-route", "internet/masquerade"):
        assert infer(step(path), snapshot, found) == found, path


def test_a_rename_is_followed() -> None:
    """The learner renames the container's end to eth0: refit finds the cable again, though the host has an eth0 of its own."""
    renamed = plugged("eth0", "right", "10.0.0.2/24")
    found = refit(steps_until("cable/switch-on"), renamed, Bindings(links={"veth1": "left", "veth2": "right"}))
    assert found == Bindings(links={"veth1": "eth0", "veth2": "right"})


def test_a_rename_since_the_last_step_is_followed() -> None:
    """The words of earlier steps are looked for again when nothing bears one of them any more, and only then."""
    renamed, before = plugged("eth0", "right", "10.0.0.2/24"), Bindings(links={"veth1": "left", "veth2": "right"})
    earlier = steps_until("cable/plug")
    assert infer(step("cable/address"), renamed, before) is None
    again = found_again(step("cable/address"), earlier, renamed, before)
    assert again == Bindings(links={"veth1": "eth0", "veth2": "right"})
    found = infer(step("cable/address"), renamed, again)
    assert found is not None and found.links == again.links
    assert found_again(step("cable/address"), earlier, plugged("left", "right"), before) is before
    assert found_again(step("cable/address"), earlier, plugged("eth0", "veth2"), EMPTY) == Bindings(links={"veth1": "eth0"})


@pytest.mark.parametrize("place", positions(course()), ids=str)
def test_nothing_is_looked_for_again_where_all_is_there(place: Position) -> None:
    """The earlier steps are not even asked at a step's start in the lesson's own names: a judging there costs no search through all of them."""
    started = start(course().world)
    snapshot = outline(started, actions_before(course(), place))
    unasked = (pytest.fail("an earlier step was asked") for _ in "1")
    assert found_again(step_at(course(), place), unasked, snapshot, EMPTY, started) is EMPTY


def test_of_two_loose_cables_the_one_that_is_plugged_in_counts() -> None:
    """Which cable was meant shows when one end has moved, also when the other cable bears the lesson's own name."""
    snapshot = lab(
        host(uplink(), veth("veth1", "x2:ceth1", up=False), veth("veth0", "c1:ceth0", up=False)),
        container("c1", veth("ceth0", "host:veth0", up=False)),
        container("x2", veth("ceth1", "host:veth1", up=False)),
    )
    settled = infer(step("cable/pair"), snapshot, EMPTY)
    assert settled is not None and settled.word("link", "veth1") == "veth1"
    found = infer(step("cable/plug"), snapshot, settled)
    assert found is not None and found.links == {"veth1": "ceth0", "veth2": "veth0"}


def test_settled_names_stay_settled() -> None:
    """The second cable's step is not met by the first cable, whatever it is called."""
    only_one = own_network()
    two = lab(*only_one.nodes, container("c2"))
    assert infer(step("neighbour/second-cable"), two, OWN) is None


def test_two_links_of_one_name_in_two_nodes() -> None:
    """Both containers call their end eth0: the second one's veth3 is eth0 as well."""
    snapshot = lab(
        host(uplink(), veth("v1", "c1:eth0"), veth("v2", "c2:eth0")),
        container("c1", veth("eth0", "host:v1")),
        container("c2", veth("eth0", "host:v2")),
        internet(),
    )
    found = infer(step("neighbour/second-cable"), snapshot, Bindings(links={"veth1": "eth0", "veth2": "v1"}))
    assert found is not None and (found.links["veth3"], found.links["veth4"]) == ("eth0", "v2")


def test_a_bridge_of_any_name_among_other_links() -> None:
    """The bridge is found by what it is; a cable beside it is not taken."""
    assert infer(step("switch/bridge"), loose("left", "right", bridge("sw0")), EMPTY) == Bindings(links={"br0": "sw0"})
    assert infer(step("switch/bridge"), loose(), EMPTY) is None


def test_a_namespace_of_any_name() -> None:
    """The decoy may be called anything that is not a container's name; a container's name is read from where it leads."""
    decoy = lab(host(), container("c1", names=("4711",)), node("thing", "unknown", names=("thing",)))
    assert infer(step("netless/decoy"), decoy, EMPTY) == Bindings(netns={"decoy": "thing"})
    assert infer(step("netless/name"), decoy, EMPTY) == Bindings(netns={"c1": "4711"})
    assert infer(step("netless/decoy"), lab(host(), container("c1", names=("4711",))), EMPTY) is None


def test_a_container_that_is_named_anew_bears_its_new_name() -> None:
    """Somebody takes the name away that was given in an earlier step, and gives another: later steps speak of that one, and nothing is a further name."""
    before, earlier = Bindings(netns={"c1": "box"}), steps_until("cable/pair")
    assert found_again(step("cable/pair"), earlier, lab(host(), container("c1", names=("tin",))), before) == Bindings(netns={"c1": "tin"})
    assert found_again(step("cable/pair"), earlier, lab(host(), container("c1", names=("c1",))), before) == EMPTY
    for names in (("box", "c1"), ()):
        assert found_again(step("cable/pair"), earlier, lab(host(), container("c1", names=names)), before) is before


def test_a_dangling_name_is_no_decoy() -> None:
    """A name that leads nowhere is not a namespace."""
    snapshot = lab(host(), container("c1"), names=(Name("ghost", None, "symlink", 77),))
    assert infer(step("netless/decoy"), snapshot, EMPTY) is None


def test_names_that_matter_are_not_searched() -> None:
    """With ``exact`` only the lesson's own name will do."""
    text = '+++\nformat = 1\nid = "a"\ntitle = "A"\n+++\n## Make it\n\nCall it br0, exactly.\n\n```toml step\nid = "b"\n'
    text += 'do = [{ bridge = "br0" }]\nexpect = [{ bridge = "br0" }]\nexact = ["br0"]\nhint = ["x"]\n```\n'
    exact = parse_lesson(text, "a.md").steps[0]
    assert fresh(exact) == ()
    assert infer(exact, loose("left", "right", bridge("sw0")), EMPTY) is None
    assert infer(exact, loose("left", "right", bridge("br0")), EMPTY) == EMPTY


def test_a_second_try_under_other_names() -> None:
    """The step was once passed with left and right; done again with up0 and down0 it holds too."""
    again = infer(step("cable/pair"), loose("up0", "down0"), Bindings(links={"veth1": "left", "veth2": "right"}))
    assert again == Bindings(links={"veth1": "up0", "veth2": "down0"})


def test_the_closest_names_word_a_failure() -> None:
    """The second cable is made but not plugged in: the verdict may already speak of the learner's own ends."""
    snapshot = lab(host(uplink(), veth("in2", "host:out2", up=False), veth("out2", "host:in2", up=False)), container("c2"), internet())
    assert infer(step("neighbour/second-cable"), snapshot, EMPTY) is None
    assert set(closest(step("neighbour/second-cable"), snapshot, EMPTY).links.values()) == {"in2", "out2"}
    assert closest(step("neighbour/second-cable"), lab(host(), container("c2")), EMPTY) == EMPTY


@pytest.mark.parametrize("other", [bridge("dummyx"), vxlan("dummyx", 7), link("dummyx", kind="dummy")], ids=["bridge", "vxlan", "dummy"])
def test_the_end_of_a_cable_is_never_something_else(other: Link) -> None:
    """The second cable is not made yet, and another thing is on the host: it is nobody's veth4, as it is nobody's veth1."""
    there = lab_with(1)
    here = edit_node(there, "host", links=(*there.node("host").links, msgspec.structs.replace(other, ifindex=77)))  # type: ignore[union-attr]
    assert closest(step("neighbour/second-cable"), here, EMPTY) == EMPTY
    assert closest(step("cable/plug"), loose("veth1", "veth2", other), EMPTY) == EMPTY


def test_a_crowded_host_is_searched_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty foreign links and ten cables beside the learner's: found, or given up, after a few thousand looks at most."""
    crowd = [link(f"tap{number}", f"10.9.{number}.1/24") for number in range(40)]
    cables = [veth(f"x{n}", f"host:y{n}", up=False) for n in range(10)] + [veth(f"y{n}", f"host:x{n}", up=False) for n in range(10)]
    snapshot = loose("zleft", "zright", *crowd, *cables)
    looks: list[str] = []
    check = VethPair.check

    def counted(own: VethPair, seen: Snapshot, where: Where) -> Finding:
        looks.append(own.name)
        return check(own, seen, where)

    monkeypatch.setattr(VethPair, "check", counted)
    assert infer(step("cable/pair"), snapshot, EMPTY) is not None
    assert infer(step("neighbour/second-cable"), edit(snapshot, "host", "zleft", kind="dummy"), EMPTY) is None
    assert 0 < len(looks) < 2 * 6100


def test_bindings_hold_under_changes_that_do_not_concern_them() -> None:
    """A route deleted later does not change what the names mean."""
    snapshot = edit_node(own_network(), "c1", routes=())
    assert infer(step("internet/default-route"), snapshot, OWN) is None
    assert infer(step("cable/plug"), snapshot, OWN) == OWN


def test_who_is_far_ahead_is_judged_by_the_addresses_that_stand() -> None:
    """A later step is asked for while the lesson stands before the gateway: nobody has the lesson's own address of it, so the learner's is looked for."""
    snapshot, asked = own_network(), step("internet/default-route")
    linked = Bindings(links=OWN.links)
    assert infer(asked, snapshot, linked) is None
    again = found_again(asked, steps_until("switch/port-up"), snapshot, linked)
    assert again.address("10.0.0.1") == OWN.address("10.0.0.1")
    assert infer(asked, snapshot, again) == again
