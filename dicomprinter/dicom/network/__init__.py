"""Associations with peers, as SCU."""
