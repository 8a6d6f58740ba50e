"""Every attempt from inside, as it should be answered, and what is seen of all of them outside.

One hostile hour for root's labs and one for an ordinary user's (``helpers.hour``); each attempt and each place is a test of its own. What is
known to get out has its item named (``until``) and is expected to: the test of it fails as soon as it does not any more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from helpers import forked
from hostile.attempt import Attempt, every
from hostile.helpers.hour import PLACES, Hour, spend
from hostile.helpers.outside import WITNESSES

pytestmark = [pytest.mark.kernel, pytest.mark.kernel_may_lack]
USERS = forked.users()
SEEN_UNTIL: dict[str, tuple[str, str]] = {}
"""What witnesses see today, by the item that will close it, and in whose labs."""
NOTICED_BY = {"files", "sockets", "fifo", "keys", "terminal"}
"""Witnesses to whom the controls of every user give something to see."""


@pytest.fixture(scope="module")
def hour() -> Callable[[str], Hour]:
    """The hour of a user's lab, spent when it is first asked about, once even when it fails."""
    spent = functools.cache(_spent)

    def of(user: str) -> Hour:
        told = spent(user)
        return told if isinstance(told, Hour) else pytest.fail(told, pytrace=False)

    return of


def _spent(user: str) -> Hour | str:
    try:
        return spend(user)
    except AssertionError as error:
        return str(error)


def _known(is_open: bool, item: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=f"known to get out: {item}", strict=True, raises=AssertionError)] if is_open else []


def _is_root(user: str) -> bool:
    return user == "root"


@pytest.mark.parametrize(
    ("user", "place", "one"),
    [
        pytest.param(user, place, one, id=f"{name}-{place}-{user}", marks=_known(one.is_open(_is_root(user)), one.until))
        for name, one in every().items()
        for user in USERS
        for place in PLACES
    ],
)
def test_an_attempt_stays_inside(hour: Callable[[str], Hour], user: str, place: str, one: Attempt) -> None:
    """What reaches the machine is refused; what does not may succeed. No attempt hangs, and each really was made."""
    told = hour(user)
    outcome = told.places[place][one.name]
    control = told.controls.get(one.name)
    if outcome.kind == "lacking" or (one.is_open(_is_root(user)) and control is not None and control.kind in ("refused", "lacking")):
        pytest.skip(f"nothing to try it on here: {outcome.what}, outside {control}")
    if outcome.kind in ("broken", "hung"):
        pytest.fail(f"the attempt itself is at fault: {outcome}")
    assert outcome.kind == "refused" or one.expected == "private", f"it got out: {outcome.what}"


@pytest.mark.parametrize(
    ("user", "name"),
    [pytest.param(user, name, id=f"{name}-{user}") for user in USERS for name, one in every().items() if one.has_control(_is_root(user))],
)
def test_an_attempt_succeeds_where_no_wall_is(hour: Callable[[str], Hour], user: str, name: str) -> None:
    """Outside the same program gets what it wants: it is the wall that refuses it inside."""
    outcome = hour(user).controls[name]
    if outcome.kind == "lacking":
        pytest.skip(outcome.what)
    assert outcome.kind == "got", outcome


@pytest.mark.parametrize(
    ("user", "witness"),
    [
        pytest.param(
            user, name, id=f"{name}-{user}",
            marks=_known(name in SEEN_UNTIL and SEEN_UNTIL[name][1] in ("both", "root" if _is_root(user) else "user"), SEEN_UNTIL.get(name, ("",))[0]),
        )
        for user in USERS
        for name in WITNESSES
    ],
)  # fmt: skip
def test_nothing_is_seen_outside(hour: Callable[[str], Hour], user: str, witness: str) -> None:
    """After all attempts from all places the machine is as it was."""
    assert hour(user).seen[witness] == []


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("witness", sorted(NOTICED_BY))
def test_a_witness_has_eyes(hour: Callable[[str], Hour], user: str, witness: str) -> None:
    """What the same attempts do outside is seen by the same witnesses."""
    assert hour(user).seen_of_controls[witness] != []


def test_every_group_has_its_attempts() -> None:
    """There are as many as were promised, in every group one that is tried outside too, and each says what it tries."""
    names = list(every())
    assert len(names) >= 170
    groups = {name.partition("-")[0] for name in names}
    assert {name.partition("-")[0] for name, one in every().items() if one.control} == groups
