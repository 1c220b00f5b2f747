"""What is wrong with a run: checks before it, observation during it, findings in words."""
