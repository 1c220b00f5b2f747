"""Networks that take one picture at a time answer for several as those that take batches do."""

import numpy as np
import pytest
import torch

from guiapp.interpret.alone import answer_of, takes_one
from tests.interpret.attribution.networks import run
from tests.interpret.test_left_alone import made, of_vectors


class FirstAlone(torch.nn.Module):
    """As a file that onnxruntime runs: no parameters, and the rest of a batch is not looked at."""

    def __init__(self, network):
        super().__init__()
        self.network = [network]

    def forward(self, batch):
        return self.network[0](batch[:1])


@pytest.fixture(scope="module")
def plain():
    return made("cnn")


@pytest.fixture(scope="module")
def exported():
    return made("exported")


def test_they_are_called_once_for_each_picture(plain, exported):
    two = torch.cat([plain.batch, -plain.batch])
    for module in (exported.module, FirstAlone(plain.module)):
        torch.testing.assert_close(answer_of(module, two), plain.module(two))
        assert takes_one(module, plain.batch)
    assert not takes_one(plain.module, plain.batch)

    def broken(_module, _inputs):
        raise RuntimeError("broken")

    handle = plain.module.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="broken"):
        answer_of(plain.module, two)
    handle.remove()


def test_their_vectors_are_those_of_the_network(plain, exported):
    expected, found = run(of_vectors(plain, "script")), run(of_vectors(exported, "exported"))  # the outputs of both
    assert len(found) == 3
    np.testing.assert_allclose(found.vectors, expected.vectors, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.predicted, expected.predicted)
