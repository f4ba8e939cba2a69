"""The fonts of this machine: what they are called and which characters they have."""
