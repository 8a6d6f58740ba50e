"""The picture of a lab: ``lay_out`` turns a snapshot into a ``Scene`` of cells, wires, gates and regions. Pure values."""

from .labels import ASCII, UNICODE, Glyphs
from .layout import lay_out
from .values import STYLES, Cell, Level, Place, Rect, Region, Run, Scene, Station

__all__ = ["ASCII", "STYLES", "UNICODE", "Cell", "Glyphs", "Level", "Place", "Rect", "Region", "Run", "Scene", "Station", "lay_out"]
