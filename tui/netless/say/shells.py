"""What is said of shells that a lab keeps, in their terminals and beside them."""

from __future__ import annotations


def not_kept(most: int = 0) -> str:
    """In the terminal of a shell that ends with the tutor: so ``most`` are kept at once, and all of those are in use; 0 where the lab did not say."""
    if not most:
        return "this shell ends with the tutor, for the lab could not be asked to keep it: type exit and press enter to try it with a new one"
    return f"this shell ends with the tutor, for the lab keeps {most} at once and all are in use: end one of those, then this one, and the next is kept"
