"""An embedded PACS and worklist, for the first minute of a new user and for tests."""
