"""The only part of netless that touches Linux: reads it, watches it, changes it, sends probes through it."""
