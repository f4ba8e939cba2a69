"""One file for each reader. It holds `TARGET`; nothing else has to know of it."""
