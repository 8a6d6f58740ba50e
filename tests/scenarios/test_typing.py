"""All five lessons typed by hand in each dialect: every step is passed by the judge that watches, and nobody ever presses run."""

from __future__ import annotations

import pytest

from helpers.hands import accepted, hands, positions, speak, type_the_page
from helpers.running import Running
from netless_lab.primitives.base import DIALECTS, Dialect

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_lesson_by_typing_what_the_page_shows(lab: Running, dialect: Dialect) -> None:
    """C13, C17, C16: the page's own commands, typed into a shell of the host, pass every step in every dialect."""
    lab.reset("lab")
    speak(lab, dialect)
    places = positions(lab)
    with hands(lab) as shell:
        for number, place in enumerate(places):
            assert lab.status().position == f"container/{place}"
            said = type_the_page(lab, shell, dialect)
            accepted(lab, f"{place} in {dialect}: {said}")
            if number + 1 < len(places):
                lab.next()
    assert lab.pings("198.51.100.10") and lab.pings("10.0.0.3")
    assert "203.0.113.2" in lab.sh("curl -s -m15 http://198.51.100.10/", "c2")
