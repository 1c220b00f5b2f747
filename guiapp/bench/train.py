"""Speed of training with the window open, against the bare loop."""

from __future__ import annotations

from typing import Any

from guiapp.bench import stand_in
from guiapp.bench.bare import Peer
from guiapp.bench.figures import Tell, paired

WHAT = (
    "steps a second of LeNet-5 at batch 64 with the window open, curves and activation maps live at 10 Hz, "
    "against a bare PyTorch loop in a process of its own with its fastest number of threads"
)
SETTINGS = {
    "dataset": stand_in.NAME,
    "batch": 64,
    "epochs": 1000,
    "augmentation": "none",
    "device": "cpu",
    "optimiser.name": "momentum",
}
"""What both do: fresh network, momentum, no augmentation; the stretches that are timed hold no validation."""


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Train for a stretch in the window, then for a stretch in the bare loop, in turn."""
    import time

    from guiapp import drive

    drive.without_display()
    stand_in.register()
    steps, pairs, peer = (40 if quick else 2000), [], Peer()
    tell(f"the bare loop is fastest with {peer.threads} threads")
    try:
        with drive.apart():
            driver = drive.Driver("lenet5")
            try:
                for number in range(2 if quick else 5):
                    tell(f"pair {number + 1}")
                    driver.open("lenet5", SETTINGS)
                    driver.show_sample()
                    driver.train(20)
                    driver.settle()
                    begin = time.perf_counter()
                    driver.train(20 + steps)
                    ours = time.perf_counter() - begin
                    peer.seconds(20)
                    pairs.append((steps / ours, steps / peer.seconds(steps)))
                threads = driver.state.threads
            finally:
                driver.close()
    finally:
        peer.close()
    return paired(pairs, "steps/s", "higher", WHAT, threads=threads, peer_threads=peer.threads, steps=steps)
