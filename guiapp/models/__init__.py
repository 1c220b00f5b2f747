"""Networks, one family a file, each with the preprocessing that travels with it."""
