"""What the documentation says of the program, made from the program when the site is built."""
