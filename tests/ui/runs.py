"""Run folders as the trainer leaves them, written by hand."""

import json


def write_run(parent, name, **changes):
    """A stopped run of two epochs on the digits: validation 0.5, then 0.9 of 100 samples; a name and fields change."""
    folder = parent / name
    folder.mkdir(parents=True)
    info = {
        "format": 1, "name": name, "state": "stopped", "created": "2024-03-01T10:20:30+00:00",
        "experiment": {"id": "lenet5", "title": "LeNet-5"}, "dataset": "digits",
        "recipe": {"epochs": 5, "keep": "best"},
        "classes": [str(i) for i in range(10)], "samples": {"train": 300, "validation": 100, "test": 100},
        "majority": 0.102, "seconds": 12.5,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps({**info, **changes}))
    rows = [
        {"epoch": 1, "step": 5, "train": {"accuracy": 0.6}, "validation": {"accuracy": 0.9}, "seconds": 6},
        {"epoch": 2, "step": 10, "train": {"accuracy": 0.95}, "validation": {"accuracy": 0.5}, "seconds": 6},
    ]
    (folder / "epochs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder
