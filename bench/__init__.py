"""Measures the program beside public tools on the same pages, in one run: `make bench`, or `python -m bench ITEM`."""
