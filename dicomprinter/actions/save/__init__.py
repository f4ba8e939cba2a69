"""Save: writes the job's objects, or its raw files, into a folder."""
