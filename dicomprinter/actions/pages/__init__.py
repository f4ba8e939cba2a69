"""Actions that change pages, and what they share."""
