"""Random numbers without history: each use has a seed computed from the run's seed, its purpose and a counter.

Nothing but the step number need be kept to resume a run, and draws that others make between two steps change nothing.
"""

import torch

WEIGHTS, STEP, ORDER, AUGMENTATION = range(4)
_MASK = (1 << 64) - 1


def mix(seed: int, purpose: int, counter: int) -> int:
    """A 63-bit number that looks random, from three small ones (the finaliser of SplitMix64, applied thrice).

    Args:
        seed: The run's seed.
        purpose: One of the constants above.
        counter: Step or epoch (``of_rank`` where processes that train together draw each on their own).
    """
    state = 0
    for part in (seed, purpose, counter):
        state = (state ^ part) * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state >> 1


def of_rank(counter: int, rank: int) -> int:
    """A counter that no other process of a run has: of rank 0 itself."""
    return counter + (rank << 40)


def seed_global(device: torch.device, value: int) -> None:
    """Seed torch's global generators that a step on ``device`` draws from: the CPU's and the device's own.

    ``torch.manual_seed`` does the same for every device at 77 us a call where CUDA is built in but absent; this
    costs 1 us on a CPU.
    """
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        torch.cuda.default_generators[index].manual_seed(value)
    elif device.type == "mps":
        torch.mps.manual_seed(value)


def generator(device: torch.device | str, value: int) -> torch.Generator:
    """A generator of its own on ``device``."""
    made = torch.Generator(device)
    made.manual_seed(value)
    return made
