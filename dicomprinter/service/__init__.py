"""Logging and what a system service needs."""
