"""Networks that a person brings: weight files for any known architecture, TorchScript, torch.export, Python files."""
