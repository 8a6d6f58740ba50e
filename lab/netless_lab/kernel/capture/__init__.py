"""Listening to every interface of every node: taps, recordings of what passed, and files of it for other tools."""

from __future__ import annotations

from .taps import Recorder, Taps

__all__ = ["Recorder", "Taps"]
