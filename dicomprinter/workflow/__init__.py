"""Nodes, conditions, error policies, positions: the interpreter."""
