"""The job and its folder on disk; nothing else knows the folder's layout."""
