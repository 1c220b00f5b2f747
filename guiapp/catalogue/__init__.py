"""The experiments of the course as plain data, one chapter a file."""
