"""ParseJobFileName and ParseJobTextFile: take values out of the job's name or text."""
