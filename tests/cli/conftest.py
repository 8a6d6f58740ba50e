"""The command line that most tests here type at: about a lab to be, or one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.command_line import Cli, begun, own


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """About a lab of the test's own, which does not run yet. It ends with the test."""
    with own(tmp_path / "state") as typed:
        yield typed


@pytest.fixture(scope="module")
def netless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """About a lab that runs, which the tests of a file share."""
    with begun(tmp_path_factory.mktemp("state")) as typed:
        yield typed
