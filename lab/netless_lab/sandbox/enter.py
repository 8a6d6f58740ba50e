"""Become part of a node as a fresh process: ``python -I -S enter.py ADDRESS NODE STAY -- COMMAND ARG...`` (``join`` writes it, ``visitor`` does it).

No more than this is here: Python compiles a program that it is given anew at every start, and what it imports only once.
"""

import os
import sys

if __name__ == "__main__":  # -I -S: nothing of ours is on the path yet
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from netless_lab.sandbox.visitor import main

    address, node, stay, _, *command = sys.argv[1:]
    os._exit(main(address, node, command, stay=stay == "stay"))  # all was written by os.write: there is nothing for Python to end in order
