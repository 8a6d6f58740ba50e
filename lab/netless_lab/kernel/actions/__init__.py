"""The kernel's half of each action, under the same file name as in ``primitives``: one function for one class."""
