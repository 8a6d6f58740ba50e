"""Printers: a scene as text and SVG, a snapshot as Mermaid and dot."""

from .dot import dot
from .mermaid import mermaid
from .svg import DARK, LIGHT, Palette, svg
from .text import text

__all__ = ["DARK", "LIGHT", "Palette", "dot", "mermaid", "svg", "text"]
