"""What can be done, said once: every key in one table of plain data (``table``), and under the same ids the doing itself (``doing``), functions of a desk and a stage."""
