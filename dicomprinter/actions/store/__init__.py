"""Store: makes the job's objects and sends them to an archive (C-STORE)."""
