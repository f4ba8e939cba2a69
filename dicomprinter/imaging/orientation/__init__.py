"""Which way up the text of a page stands: numpy and Pillow alone, no recognition of letters, no language."""
