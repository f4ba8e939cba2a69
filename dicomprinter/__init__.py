"""Whatever is printed, dropped in a folder or received becomes a job that reaches the PACS."""

__version__ = "0.1.0"
