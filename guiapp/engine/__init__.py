"""The lanes on which work runs: plain threads and callbacks, no Qt."""
