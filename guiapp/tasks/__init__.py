"""What the output of a network means: loss, prediction and metrics, one task a file."""
