"""What is told of a judgement, beside the claims themselves. Pure."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from netless.desk.view import View
from netless.say.check import check_title, scored, worse
from netless.say.counted import rechecked
from netless_lab.course.verdict import Item, ItemResult, Result, Verdict


def verdict(*results: ItemResult, step: str = "plug", result: Result = "fail") -> Verdict:
    """Of claims a, b, c ..., each with this result."""
    return Verdict(step, result, tuple(Item(own, claim) for own, claim in zip(results, "abcde", strict=False)))


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (("pass", "fail"), "1 of 2"),
        (("pass", "fail", "pass", "fail", "ahead"), "2 of 4, 1 ahead"),
        (("pass", "fail", "unknown", "unknown"), "1 of 2, 2 untold"),
        (("fail", "ahead", "lapsed"), "0 of 1, 1 ahead, 1 gone"),
        (("pass", "fail", "waiting", "waiting"), "1 of 4, 2 waiting"),
        (("fail", "error", "waiting", "ahead"), "0 of 3, 1 waiting, 1 not judged, 1 ahead"),
    ],
)
def test_the_score_accounts_for_every_line_below_it(results: tuple[ItemResult, ...], words: str) -> None:
    """What neither holds nor fails is a line too: it is counted beside the others, and not left out."""
    found = verdict(*results)
    assert check_title(View(verdict=found)).plain == f"Check {words}"
    assert scored(found).plain == f"Conditions that hold: {words}."


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (("pass", "fail"), "Checked: still 1 of 2 conditions hold."),
        (("fail", "waiting"), "Checked: still 0 of 2 conditions are known to hold; 1 could not be judged."),
        (("pass", "waiting", "error", "ahead"), "Checked: still 1 of 3 conditions are known to hold; 2 could not be judged."),
    ],
)
def test_what_was_not_judged_is_not_said_to_fail(results: tuple[ItemResult, ...], words: str) -> None:
    """A packet that is sent only when the state is there, and one that could not be sent, may be answered or not: nobody knows."""
    assert rechecked(verdict(*results), broken=False) == words


def test_what_has_become_worse_is_said() -> None:
    """A claim that held and does not, in few words; and what looks like the thing that is asked for, and is not. Each once."""
    holds, fails = verdict("pass", "fail"), verdict("fail", "fail")
    decoy = replace(holds, items=(holds.items[0], replace(holds.items[1], near="br1 is not it")))
    assert worse(holds, fails) == "Not so any more: a"
    assert worse(holds, decoy) == "br1 is not it"
    assert worse(decoy, decoy) == worse(fails, holds) == worse(fails, fails) == ""


def test_only_judgements_of_one_step_are_compared() -> None:
    """On another step other things are asked for; nor is a first look worse than anything."""
    assert worse(verdict("pass", step="pair"), verdict("fail")) == worse(None, verdict("fail")) == worse(verdict("pass"), None) == ""
