"""Pages: probe, open, convert; hostile decoding runs in a killable child process."""
