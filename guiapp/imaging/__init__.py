"""Classical image operators, one theme a file."""
