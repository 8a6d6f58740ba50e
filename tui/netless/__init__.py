"""netless: rebuild a container's network by hand, on a real kernel, in your terminal."""

__version__ = "0.1.0"
