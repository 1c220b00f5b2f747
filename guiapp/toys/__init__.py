"""Two-dimensional points, single neurons and loss surfaces."""
