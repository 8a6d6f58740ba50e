"""Printers: a scene as text and SVG, a snapshot as Mermaid and dot."""

from .drawings import DARK, LIGHT, Palette, svg, text
from .graphs import dot, mermaid

__all__ = ["DARK", "LIGHT", "Palette", "dot", "mermaid", "svg", "text"]
