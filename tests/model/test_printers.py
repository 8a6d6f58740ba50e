"""Printers: SVG is a document of its own, ASCII is ASCII, Mermaid and dot hold every link and every cable."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from helpers.random_labs import random_lab
from helpers.shapes import shapes, steps
from helpers.snapshots import bridge, container, default, host, lab, lab_with, masquerade, uplink, veth
from netless_lab.model.printers import DARK, LIGHT, dot, mermaid, svg, text
from netless_lab.model.scene import STYLES, lay_out
from netless_lab.model.scene.labels import is_lo
from netless_lab.model.snapshot import Route

NS = {"svg": "http://www.w3.org/2000/svg"}


def test_an_svg_is_well_formed_and_needs_nothing_else() -> None:
    """Any lab: valid XML, no reference to anything outside, every word inside the picture."""
    for seed in range(40):
        document = svg(lay_out(random_lab(seed), width=120, height=40))
        root = ET.fromstring(document)
        assert not re.search(r"href|url\(|@import|<script", document)
        left, top, width, height = (float(number) for number in root.attrib["viewBox"].split())
        for word in root.iterfind(".//svg:text", NS):
            x, y = float(word.attrib["x"]), float(word.attrib["y"])
            assert left <= x and x + float(word.attrib["textLength"]) <= left + width and top <= y <= top + height


def test_an_svg_says_what_the_text_says() -> None:
    """The words of the SVG are the words of the drawing, and every wire of it is a stroke."""
    scene = lay_out(lab_with(2), width=80, height=24)
    root = ET.fromstring(svg(scene))
    words = " ".join("".join(word.itertext()) for word in root.iterfind(".//svg:text", NS))
    for word in ("c1", "veth1", "10.0.0.2/24", "host", "br0", "[fwd]", "[NAT]", "eth0", "internet"):
        assert word in words
    assert len(root.findall(".//svg:circle", NS)) == text(scene).count("●") == 5
    assert root.findtext("svg:title", namespaces=NS) == "Network of c1, c2, host, internet"


def test_both_palettes_colour_every_style() -> None:
    """No style word is left to chance, and down and up never share a colour with each other."""
    for palette in (DARK, LIGHT):
        for style in STYLES:
            assert style == "" or style in palette.colours or style.removesuffix("-title") in palette.colours
        assert len({palette.colour("container-0"), palette.colour("container-1"), palette.colour("container-2")}) == 3
        assert palette.colour("port-up") != palette.colour("port-down")


def test_plain_ascii_keeps_every_column() -> None:
    """The ASCII text has the same rows of the same lengths."""
    for snapshot in shapes().values():
        scene = lay_out(snapshot, width=80, height=24)
        drawn, plain = text(scene).splitlines(), text(scene, ascii=True).splitlines()
        assert plain and all(line.isascii() for line in plain)
        assert [len(line) for line in drawn] == [len(line) for line in plain]


def test_nothing_is_an_empty_text() -> None:
    """An empty lab prints nothing, not blank lines."""
    assert text(lay_out(lab(), width=80, height=24)) == ""


@pytest.mark.parametrize("printer", [mermaid, dot])
def test_graphs_hold_every_link_once(printer: object) -> None:
    """Every link but plain loopbacks is a vertex, and every cable one edge."""
    for snapshot in (*shapes().values(), *steps().values(), *map(random_lab, range(30))):
        source = printer(snapshot)  # type: ignore[operator]
        links = [link for node in snapshot.nodes for link in node.links if not is_lo(link)]
        vertices = re.findall(r"^\s+(n\d+l\d+)(?: \[label|\[)", source, re.M)
        assert len(vertices) == len(set(vertices)) >= len(links)
        assert source.count("{") == source.count("}") or printer is mermaid


def test_a_way_out_has_the_gates_of_its_family() -> None:
    """IPv6's own edge says what becomes of its packets; where only IPv4 leads out there is none."""
    four, six = default("203.0.113.1", "eth0"), Route("default", "fd00:c::1", "eth0", family=6)
    both = host(bridge("br0", "10.0.0.1/24", "fd00:a::1/64"), uplink(), chains=(masquerade(),), routes=(four, six))
    both = msgspec.structs.replace(both, sysctls={"ip_forward": "1", "v6.forwarding": "0"})
    assert "fwd open, NAT open" in mermaid(lab(both)) and "IPv6: fwd closed" in mermaid(lab(both))
    assert "IPv6" not in mermaid(lab(msgspec.structs.replace(both, routes=(four,))))


def test_names_with_quotes_stay_inside_their_quotes() -> None:
    """A namespace may be called anything: the sources stay sound."""
    odd = lab(host(veth("v1", 'a "b"#:w')), container('a "b"#', veth("w", "host:v1")))
    assert '"a #quot;b#quot;#35;"' in mermaid(odd)
    assert 'label="a \\"b\\"#"' in dot(odd)
