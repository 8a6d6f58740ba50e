"""Why did the packet die? Evidence in, two sentences out: what was seen, and the likely cause with the facts it rests on. Pure.

``model/evidence`` says what evidence is, ``kernel/evidence`` gathers it. ``spot`` finds the place where the packet was last seen,
``ladder`` asks the rungs in order. A rung answers only with facts; when none answers, the cause is unknown, and that is said.
"""

from __future__ import annotations

from .ladder import explain

__all__ = ["explain"]
