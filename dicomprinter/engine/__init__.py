"""When and where jobs run."""
