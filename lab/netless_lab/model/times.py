"""Times as a document may say them."""

from __future__ import annotations

from typing import Annotated

import msgspec

Time = Annotated[float, msgspec.Meta(ge=0, lt=253402300800)]
"""Seconds since the epoch, until the end of the year 9999: what a calendar can say (``time.localtime``)."""
Span = Annotated[float, msgspec.Meta(ge=0, lt=253402300800)]
"""Seconds that something took."""
