"""Whom a request for a page asks for."""

from __future__ import annotations

import pytest

from netless_lab.kernel.probe.fetch import host_header


@pytest.mark.parametrize(
    ("netloc", "host"),
    [
        ("[fe80::1%eth0]:8080", "[fe80::1]:8080"),
        ("[fe80::1%eth%0]", "[fe80::1]"),
        ("[fe80::1]:80", "[fe80::1]:80"),
        ("example.test:80", "example.test:80"),
        ("odd%name", "odd%name"),
    ],
)
def test_the_link_of_an_address_is_left_out(netloc: str, host: str) -> None:
    """Nobody at the far end knows our links; everything else stays."""
    assert host_header(netloc) == host


def test_a_host_of_percent_signs_is_read_once() -> None:
    """Looking for the end of a link from each of a million percent signs takes hours."""
    assert host_header("%" * 1_000_000) == "%" * 1_000_000
