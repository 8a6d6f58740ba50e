"""What a lab does before its first client has been shown it: nothing that somebody else may need later."""

from __future__ import annotations

import pytest

from helpers.loading import imported, loading
from netless_lab import inside

pytestmark = pytest.mark.kernel


def test_a_first_client_waits_for_no_import_of_what_it_does_not_see() -> None:
    """What sends probes, hears packets, and serves drills, Why and purges is imported when the first client has been shown the lab.
    """
    with loading() as lab:
        before = imported(lab)
    listens = {"netless_lab.kernel.evidence.lookout", "netless_lab.kernel.probe", "netless_lab.kernel.capture.taps"}
    assert not listens.union(inside.LATER).intersection(before)
    assert not [module for module in before if module.startswith("netless")], "it was imported where nobody may be able to read it"
