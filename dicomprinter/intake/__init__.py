"""How files become jobs."""
