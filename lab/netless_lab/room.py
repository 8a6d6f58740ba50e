"""A room's own places: what lies where for everybody who is in a lab."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing costs 4 ms
if TYPE_CHECKING:
    from typing import Final

HOME: Final = "/run/lab"
NETLESS: Final = "/run/netless"
NETNS: Final = "/run/netns"
BIN: Final = f"{NETLESS}/bin"
PROGRAM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where the machine's own programs are looked for."""
PATH: Final = f"{BIN}:{PROGRAM_PATH}"
"""Where commands are looked for; in a lab started inside a lab all these places are the inner one's."""
SOCKET: Final = f"{NETLESS}/agent.sock"
"""Where the agent listens for those who live in the lab: abstract names do not reach across network namespaces."""
