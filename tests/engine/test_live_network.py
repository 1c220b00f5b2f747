"""A picture is prepared on one thread where the window paints on the other."""

import pytest
import torch

from guiapp.engine.live_network import undisturbed


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(("given", "inside"), [(1, 1), (2, 1), (3, 3), (8, 8)])
def test_two_threads_become_one_for_a_while(threads, given, inside):
    threads(given)
    with undisturbed():
        assert torch.get_num_threads() == inside
    assert torch.get_num_threads() == given
    with pytest.raises(ValueError, match="broken"), undisturbed():
        raise ValueError("broken")
    assert torch.get_num_threads() == given
