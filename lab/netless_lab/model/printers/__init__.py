"""Printers: a scene as text and SVG, a snapshot as Mermaid and dot."""

from .dot import dot
from .mermaid import mermaid
from .palette import DARK, LIGHT, Palette
from .svg import svg
from .text import text

__all__ = ["DARK", "LIGHT", "Palette", "dot", "mermaid", "svg", "text"]
