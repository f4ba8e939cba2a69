"""Hostile input: every reader of bytes from outside is fed what nobody sent on purpose. `python -m fuzz`."""
