"""One file an action: its frozen dataclass, how it is read from its element, how it runs."""
