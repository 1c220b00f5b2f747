"""Seeds that are computed, not drawn."""

import torch

from guiapp.training import seeds


def test_seeds_differ_by_run_purpose_and_counter_and_fit_torch():
    found = {seeds.mix(s, p, c) for s in range(8) for p in range(4) for c in range(200)}
    assert len(found) == 8 * 4 * 200
    assert all(0 <= value < 2**63 for value in found)
    assert len({value & 0xFFFFFFFF for value in found}) == len(found)  # the CPU's generator uses the low half


def test_seeding_fixes_what_is_drawn_whatever_was_drawn_before():
    seeds.seed_global(torch.device("cpu"), 17)
    first = torch.rand(3)
    torch.rand(100)
    seeds.seed_global(torch.device("cpu"), 17)
    assert torch.equal(first, torch.rand(3))


def test_a_generator_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    torch.rand(5, generator=seeds.generator("cpu", 4))
    assert torch.equal(before, torch.get_rng_state())
