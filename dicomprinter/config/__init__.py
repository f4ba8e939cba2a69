"""The configuration file as a canonical tree with positions; knows no action."""
