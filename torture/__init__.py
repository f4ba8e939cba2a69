"""Breaks the real program on purpose and looks at its books afterwards."""
