"""How a shell is started: its command, its start-up file, and the environment of a program inside the tutor's terminal.

The app's terminals and ``netless shell`` start the same one. Plain Python: a shell on the command line loads no screen.
"""

from .environment import terminal_environment
from .start import BASHRC, command

__all__ = ["BASHRC", "command", "terminal_environment"]
