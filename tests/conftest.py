"""Rules for every test: in CI a skip is a failure, the machine's own habits do not count, nobody's own settings or labs take part."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from helpers.running import Running

MAY_LACK = "kernel_may_lack"
"""The marker of tests that may skip in CI: for what this kernel has no means. What only root can try is not chosen for others (``root``)."""


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _fail_a_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skip a failure that says why it was skipped."""
    if not report.skipped or hasattr(report, "wasxfail") or not _in_ci():
        return
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr or "")
    report.outcome = "failed"
    report.longrepr = f"skipped where every test must run: {reason.removeprefix('Skipped: ') or 'no reason given'}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    report = yield
    if item.get_closest_marker(MAY_LACK) is None:
        _fail_a_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure."""
    report = yield
    _fail_a_skip(report)
    return report


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what this run is about, and keep the tests that share a lab in one process."""
    chosen = [item for item in items if _is_chosen(item, config)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
    for item in items:
        if _shares_a_lab(item):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def _is_chosen(item: pytest.Item, config: pytest.Config) -> bool:
    """Slow ones only when asked for by ``-m``; root's only by root; of a run by root, the ordinary user repeats the ``rootless`` ones."""
    if item.get_closest_marker("long") is not None and not config.option.markexpr:
        return False
    if item.get_closest_marker("root") is not None and os.geteuid() != 0:
        return False
    return not os.environ.get("NETLESS_ROOTLESS_PART") or item.get_closest_marker("rootless") is not None


def _shares_a_lab(item: pytest.Item) -> bool:
    """Whether a fixture of the whole file is behind it: made once in each process that gets a test of the file."""
    fixtures = item.session._fixturemanager.getfixturedefs
    names = getattr(item, "fixturenames", ())
    behind = ((name, fixtures(name, item) or ()) for name in names)
    return any(own.scope == "module" for name, found in behind for own in found[-2 if found and name in found[-1].argnames else -1 :])


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    """One lab for all tests of a file: each begins with its own goto or reset, or leaves the lab as it was."""
    from helpers.running import running  # what has no lab of this kind starts without the client and its messages

    with running() as own:
        yield own


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The top of the checkout the tests belong to."""
    return Path(__file__).resolve().parent.parent


HOMES = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


@pytest.fixture(scope="session", autouse=True)
def _same_everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a machine or a login sets and no test may depend on: mask, language, ignored signals, home with its settings. Tests of an odd one set it."""
    old = os.umask(0o022)
    # What was started with & by a script, or by nohup, ignores these, and so would every program that a test starts (sh(1), signal(7)).
    for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, heard)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("LC_", "LANGUAGE"))]:
            patch.delenv(name)
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("own-home")))
        for name in ("TZ", "PAGER", "LESS", "EDITOR", "LS_COLORS", "GREP_COLORS", "POSIXLY_CORRECT", "ENV", "BASH_ENV", "TMUX", "COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        yield
    os.umask(old)


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
    for name in ("NETLESS_LAB", "NETLESS_CALLED", "NETLESS_LANG", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
