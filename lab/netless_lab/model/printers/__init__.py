"""Printers: the picture as text, SVG, Mermaid and dot."""
