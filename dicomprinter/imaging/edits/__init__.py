"""What page actions do to pages: one file for each edit. They are done in the decoder's child process."""
