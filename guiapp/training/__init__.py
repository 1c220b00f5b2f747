"""The trainer, recipes, and the folder that keeps a run."""
