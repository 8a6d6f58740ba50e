"""Rules for every test: in CI a skip is a failure, and nobody's own settings or labs take part."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

ALLOWED_SKIPS = re.compile(r"this kernel has no |only root can |needs a terminal oracle")
"""Reasons that are true of a machine and not of our code; all other skips fail when CI is set."""


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Why it was skipped, in the words of whoever skipped it."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr or "no reason given")


def _fail_a_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or not _in_ci():
        return
    reason = _reason(report)
    if not ALLOWED_SKIPS.search(reason):
        report.outcome = "failed"
        report.longrepr = f"skipped where every test must run: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    report = yield
    _fail_a_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    _fail_a_skip(report)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The rootless part of a run by root: tests of the real kernel that do not become the ordinary user by themselves."""
    if not os.environ.get("NETLESS_ROOTLESS_PART"):
        return
    chosen = [item for item in items if _is_rootless_part(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _is_rootless_part(item: pytest.Item) -> bool:
    becomes_somebody = "sandbox_user" in getattr(item, "fixturenames", ())
    return not becomes_somebody and any(item.get_closest_marker(name) for name in ("kernel", "tmux"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top of the checkout the tests belong to."""
    return Path(__file__).resolve().parent.parent


HOMES = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


@pytest.fixture(scope="session", autouse=True)
def _homes_of_whole_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for a lab that the tests of a file share: it is started before any test's own homes are set."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("homes")
        for name in HOMES:
            patch.setenv(name, str(home / name.lower()))
        yield


@pytest.fixture(autouse=True)
def _own_homes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress and settings of a test never meet those of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in HOMES:
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("NETLESS_LAB_NAME", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
