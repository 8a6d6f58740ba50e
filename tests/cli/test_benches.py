"""The benchmarks measure what they say, whoever measured here before."""

from __future__ import annotations

import os

import pytest

from bench.app import a_lab
from helpers.running import running

pytestmark = pytest.mark.kernel


def test_a_lab_that_is_measured_begins_at_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process number after the other comes again: what was done in the lab of an earlier one with the same is not gone on with."""
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    for _ in range(2):
        with a_lab() as name, running(name) as lab:
            assert lab.status().position == "container/netless/name"
            lab.goto("container", end=True)
