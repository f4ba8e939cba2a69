"""DICOM objects of a job's pages and files, for all actions that make some."""
