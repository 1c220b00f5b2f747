"""What all rooms share: pictures, the workspace, paths, downloads, notices, registries."""
