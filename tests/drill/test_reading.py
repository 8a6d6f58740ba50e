"""Fault files as text: the shipped ones are sound, and everything wrong with one is said with its file and line."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from drill.explained import held_out
from netless_lab.course.bindings import Bindings
from netless_lab.course.files import fault_texts, shipped
from netless_lab.course.step import Course, FaultNode, taught
from netless_lab.drill.broken import bound, hints
from netless_lab.drill.format import Fault, read_faults
from netless_lab.drill.library import drawn, listed, named
from netless_lab.errors import Refusal
from netless_lab.model.needs import NEEDS, Lack, needs_of
from netless_lab.model.snapshot import Snapshot
from netless_lab.primitives.base import Where

GOOD = """format = 1
id = "sample"
title = "The host does not forward"
tells = "Nothing beyond the host answers."
start = "container/neighbour"
inject = [{ forwarding = false }]
mend = [{ forwarding = true }]
symptom = [{ ping = "198.51.100.10", from = "{node}" }]
still = [{ ping = "10.0.0.1", from = "{node}" }]
place = "host:fwd"
cause = "forwarding-off"
evidence = ["`sysctl net.ipv4.ip_forward` says 0"]
"""
ROWS = set(range(1, 43)) - {19, 20}
"""Of the reference list all but two: those need one flow that lives on, and every probe is a new one."""


def problems(text: str, file: str = "sample.toml") -> list[str]:
    """What the reader has against a file."""
    return [str(problem) for problem in read_faults({file: text}, shipped()).problems]


def sample() -> Fault:
    """The good file, read."""
    (fault,) = read_faults({"sample.toml": GOOD}, shipped()).faults
    return fault


@pytest.mark.parametrize("node", ["c1", "c2"])
def test_every_shipped_fault_is_sound(node: str) -> None:
    """All files can be read for either container, and lessons and steps they name exist."""
    texts = fault_texts()
    reading = read_faults(texts, shipped(), node)
    assert reading.problems == ()
    assert len(reading.faults) == len(texts) >= 60


def test_the_reference_list_is_covered() -> None:
    """Every row of the list of faults that a probe can notice has a file."""
    assert {fault.number for fault in read_faults(fault_texts(), shipped()).faults if fault.number} == ROWS


def test_a_drill_and_why_send_to_the_same_step() -> None:
    """Of every shipped fault a step teaches each of its causes, and what the drill calls its step is where Why sends for the first of them."""
    steps = taught(shipped())
    faults = read_faults(fault_texts(), shipped()).faults
    assert not {fault.id: fault.causes for fault in faults if not set(fault.causes) <= set(steps)}
    assert {fault.id: fault.teaches for fault in faults} == {fault.id: steps[fault.causes[0]] for fault in faults}


def test_silence_in_a_fault_is_a_guard() -> None:
    """What must not be answered when all is well decides whether it is well again."""
    text = GOOD.replace('from = "{node}" }]\nstill', 'from = "{node}", reply = false, because = "it is shut out" }]\nstill')
    (fault,) = read_faults({"sample.toml": text}, shipped()).faults
    assert fault.symptom[0].demand == "guard"


def test_nothing_told_gives_the_cause_away() -> None:
    """What the learner is told is a sentence, and is neither the title nor contains the code of the cause."""
    for fault in read_faults(fault_texts(), shipped()).faults:
        assert fault.tells.endswith(".") and fault.tells != fault.title
        assert not any(cause.replace("-", " ") in fault.tells.lower() for cause in fault.causes), fault.id


def test_a_third_is_held_out() -> None:
    """The hash sets aside about a third, always the same ones."""
    every = [fault.id for fault in read_faults(fault_texts(), shipped()).faults]
    out = [fault_id for fault_id in every if held_out(fault_id)]
    assert 0.2 < len(out) / len(every) < 0.5
    assert held_out("loopback-down") is True and held_out("forwarding-off") is False


def test_a_good_file_has_no_problems() -> None:
    """The sample that the other tests spoil is itself sound, and can be had in either container."""
    assert problems(GOOD) == []
    assert sample().nodes == ("c1", "c2") and sample().symptom[0].probe.node == "c1"
    assert read_faults({"sample.toml": GOOD}, shipped(), "c2").faults[0].symptom[0].probe.node == "c2"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("format = 1", "format = 2", 1, "newer netless"),
        ("format = 1\n", "", 1, "format"),
        ('id = "sample"', 'id = "other"', 2, "Make the two agree"),
        ('id = "sample"', 'id = "So So"', 2, "no id"),
        ('title = "The host does not forward"', 'title = ""', 3, "empty"),
        ('tells = "Nothing beyond the host answers."', "tells = 3", 4, "must be a text"),
        ("container/neighbour", "container/neighbor", 5, "neighbour"),
        ('start = "container/neighbour"', 'start = "container"', 5, "whole course"),
        ("inject = [{ forwarding = false }]", "inject = [{ forwading = false }]", 6, "forwarding"),
        ("inject = [{ forwarding = false }]", "inject = []", 6, "missing"),
        ("inject = [{ forwarding = false }]", "inject = { forwarding = false }", 6, "brackets"),
        ("mend = [{ forwarding = true }]", 'mend = [{ ping = "10.0.0.1" }]', 7, "no action"),
        ("mend = [{ forwarding = true }]", 'mend = [{ down = "abcdefghijklmnop" }]', 7, "15"),
        ('{ ping = "198.51.100.10"', '{ ping = "198.51.100.300"', 8, "no IP address"),
        ('from = "{node}" }]\nstill', 'from = "{nod}" }]\nstill', 8, "{nod}"),
        ('symptom = [{ ping = "198.51.100.10", from = "{node}" }]', "symptom = []", 8, "none"),
        ('still = [{ ping = "10.0.0.1", from = "{node}" }]\n', "", 1, "still"),
        ('place = "host:fwd"', 'place = "host:FWD"', 10, "fwd"),
        ('place = "host:fwd"', 'place = "host:"', 10, "no place"),
        ('place = "host:fwd"', 'place = "host:an-interface-too-long"', 10, "neither a gate nor a link"),
        ('place = "host:fwd"', 'place = ["host:fwd", "host:Fw"]', 10, "fw"),
        ('place = "host:fwd"', "place = []", 10, "missing"),
        ('cause = "forwarding-off"', 'cause = "forwarding-of"', 11, "no cause that Why knows"),
        ('evidence = ["`sysctl net.ipv4.ip_forward` says 0"]', "evidence = []", 12, "missing"),
        ('cause = "forwarding-off"', 'cause = "kernel-drop"', 11, 'no step teaches "kernel-drop"'),
        ('says 0"]\n', 'says 0"]\nneeds = ["vxlna"]\n', 13, "vxlan"),
        ('says 0"]\n', 'says 0"]\nnumber = "four"\n', 13, "row"),
        ('says 0"]\n', 'says 0"]\ncolour = "red"\n', 13, "no key"),
        ('says 0"]\n', 'says 0"]\nteaches = "internet/forwarding"\n', 13, 'no key "teaches"'),
        ('says 0"]', 'says 0', 12, "quotation mark"),
    ],
)
def test_a_spoiled_file_is_refused_at_its_line(old: str, new: str, line: int, says: str) -> None:
    """Each mistake is one sentence with file, line and a way out, and the fault is not offered."""
    assert GOOD.count(old) == 1
    found = problems(GOOD.replace(old, new))
    assert any(text.startswith(f"sample.toml:{line}:") and says in text for text in found), found
    assert read_faults({"sample.toml": GOOD.replace(old, new)}, shipped()).faults == ()


@pytest.mark.parametrize("text", ["", "\0\1\2", "= = =", "[[[[", 'id = "\udcff"', "inject = 3\nsymptom = {}\nplace = []\n"])
def test_any_text_is_refused_in_words(text: str) -> None:
    """Whatever is in a file, the reader answers with problems and never with an exception; sound files beside it are read."""
    reading = read_faults({"bad.toml": text, "sample.toml": GOOD}, shipped())
    assert [fault.id for fault in reading.faults] == ["sample"]
    assert reading.problems and all(problem.file == "bad.toml" for problem in reading.problems)


def test_a_fault_can_be_in_the_nodes_that_its_own_course_names() -> None:
    """In another course the placeholders stand for other things; where a course names no nodes, there are no placeholders."""
    (course,) = (course for course in shipped() if course.id == "container")
    other = replace(course, fault_nodes=(FaultNode("front", {"node": "front"}),))
    (fault,) = read_faults({"sample.toml": GOOD}, (other,), "c2").faults
    assert (fault.nodes, fault.node) == (("front",), "front") and fault.symptom[0].probe.node == "front"
    (fault,) = read_faults({"sample.toml": GOOD.replace("{node}", "c1")}, (course,)).faults
    assert (fault.nodes, fault.node) == ((), "")
    told = [str(problem) for problem in read_faults({"sample.toml": GOOD}, (replace(course, fault_nodes=()),)).problems]
    assert told and all('no placeholder "{node}"' in text for text in told)


def test_a_step_of_a_faults_own_course_explains_it_before_those_of_others() -> None:
    """The first cause that a step teaches sends there; what its own course does not teach, another may, and where none does it is no fault."""
    (course,) = (course for course in shipped() if course.id == "container")
    silent = replace(course, lessons=tuple(replace(lesson, steps=tuple(replace(own, teaches=()) for own in lesson.steps)) for lesson in course.lessons))
    other = replace(course, id="other")

    def sent(text: str, *courses: Course) -> list[str]:
        return [fault.teaches for fault in read_faults({"sample.toml": text}, courses).faults]

    assert sent(GOOD, other, course) == ["container/internet/forwarding"]
    assert sent(GOOD, silent, other) == ["other/internet/forwarding"]
    assert sent(GOOD, silent) == []
    several = GOOD.replace('"forwarding-off"', '["kernel-drop", "port-down", "forwarding-off"]')
    assert sent(several, course) == ["container/switch/port-up"]
    assert sent(GOOD.replace("{node}", "c1")) == [""], "no courses are known"


def test_an_unknown_fault_offers_the_nearest() -> None:
    """A misspelt id is refused as wrong usage, with what was perhaps meant."""
    with pytest.raises(Refusal) as refused:
        named(read_faults(fault_texts(), shipped()).faults, "forwardng-off")
    assert refused.value.code == 2 and refused.value.nearest[0] == "forwarding-off"


def test_a_seed_draws_the_same_fault_everywhere() -> None:
    """The order of a seed depends on nothing but the seed and the ids; other seeds draw others."""
    faults = read_faults(fault_texts(), shipped()).faults
    assert drawn(faults, 7) == drawn(tuple(reversed(faults)), 7)
    assert {drawn(faults, seed)[0] for seed in range(40)} > {drawn(faults, 7)[0]}
    assert {fault_id for fault_id, _ in drawn(faults, 7)} == {fault.id for fault in faults}
    assert {node for seed in range(40) for _, node in drawn(faults, seed)[:1]} == {"c1", "c2", ""}


def test_a_fault_speaks_the_learners_names() -> None:
    """In a lab whose learner called things otherwise, actions, probes, words and the place follow."""
    names = Bindings(links={"veth1": "left", "veth2": "right"}, nets={"10.0.0.0/24": "192.168.7.0/24"})
    fault = bound(named(read_faults(fault_texts(), shipped()).faults, "port-down"), names)
    assert str(fault.place) == "host:right"
    assert "right" in fault.inject[0].sentence() and "right" in fault.evidence[0]
    assert fault.symptom[1].probe.to == "192.168.7.2"  # type: ignore[union-attr]


def test_hints_end_with_the_solution() -> None:
    """Hints go from what still works to the command itself."""
    every = hints(sample(), "Let the host forward", Snapshot(), Where(), "ip")
    assert "10.0.0.1" in every[0] and "Let the host forward" in every[1] and "forwards" in every[2] and "sysctl" in every[3]
    assert "sysctl -w net.ipv4.ip_forward=1" in every[-1]
    assert all("sysctl" not in text for text in every[:3])


def test_needs_are_known() -> None:
    """Every need of a shipped fault has words."""
    assert {need for fault in read_faults(fault_texts(), shipped()).faults for need in fault.needs} <= set(NEEDS)


def test_a_fault_is_listed_with_what_the_machine_lacks_for_it() -> None:
    """Only what it needs itself counts, in words."""
    lacks = (Lack("vxlan", "VXLAN", "not loaded", "sudo modprobe vxlan"), Lack("nft", "the program nft"))
    told = {fault.id: fault.lacks for fault in listed(read_faults(fault_texts(), shipped()).faults, lacks)}
    assert told["overlay-blocked"] == "VXLAN and the program nft" and told["old-flow"] == "the program nft" and told["port-down"] == ""


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("ip link set br0 down", ("ip",)),
        ("ss -Hltn | grep -q . && nft list ruleset; curl x", ("ip", "nft", "curl")),
        ("while ! ping -c1 10.0.0.1; do tc qdisc; done &", ("ping", "ip")),
        ("python3 -c 'ip; nft' > /run/nft || true", ("python3",)),
        ('sysctl -w net.ipv4.ip_forward=0; echo "; nft"', ()),
    ],
)
def test_a_command_line_says_itself_which_programs_it_needs(line: str, needs: tuple[str, ...]) -> None:
    """Those that its commands begin with, and that a machine may lack; what stands in quotes or as a word of a command is none."""
    assert needs_of(line) == needs
