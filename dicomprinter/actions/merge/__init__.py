"""MergeJob: takes the next jobs of the same sender into this one."""
