"""Packets that must, or must not, arrive: sent from inside a node by sockets opened there, on the event loop of the caller."""

from __future__ import annotations

from .run import run

__all__ = ["run"]
