"""The courses a lab has: read where its agent will be, while that is imported (``Plan.ahead``), and handed to it."""

from __future__ import annotations

import pickle
from pathlib import Path

from .course.catalog import Library
from .course.files import library, read_folder, shelved
from .course.places import lessons_root
from .orders import Orders


def read(argument: str) -> bytes:
    """The course in the folder that the orders name, or every course there is: a pickled ``Library``. Raises LookupError when not one can be used."""
    orders = Orders.from_json(argument)
    if orders.folder:
        found: Library = shelved([read_folder(Path(orders.folder), orders.language)], orders.language)
    else:
        found = library(orders.lessons, orders.language)
    if not found.courses:
        raise LookupError(f"no course can be read in {orders.folder or lessons_root()}: `netless lint` says why")
    return pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
