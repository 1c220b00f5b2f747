"""Whatever is asked of a network of any family leaves it as it was: to the end, stopped, or failing either way."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.datasets.base import Dataset, Samples
from guiapp.interpret.attack.options import METHODS as ATTACKS
from guiapp.interpret.attack.options import AttackOptions, sized
from guiapp.interpret.attack.robust import robust_accuracy
from guiapp.interpret.attack.run import attack
from guiapp.interpret.attack.victims import make_victim, victim_of_part
from guiapp.interpret.attribution import (
    METHODS,
    CurveOptions,
    SanityOptions,
    attribute,
    curves,
    reasons_against,
    sanity,
)
from guiapp.interpret.embedding.features import collect
from guiapp.interpret.embedding.options import OUTPUT
from guiapp.interpret.embedding.pictures import DataPictures
from guiapp.interpret.score import run_through
from guiapp.interpret.targets import ClassTarget
from guiapp.interpret.units.grow import growing
from guiapp.interpret.units.options import GrowOptions
from guiapp.interpret.units.passes import LayerPass
from guiapp.interpret.units.patches import patch
from guiapp.interpret.units.project import project
from guiapp.interpret.units.scan import Scan, scanning
from guiapp.models.base import Preprocessing
from tests.interpret.attribution.networks import FAMILIES, SIDE, case, of, run, state_of

KINDS = (*FAMILIES, "script", "exported")
UNITS = {"vit": "encoder.layers.encoder_layer_0", "swin": "features.1", "cnn": "features.3", "resnet": "layer2"}
FEW = {"smooth-grad": {"samples": 3}, "integrated-gradients": {"steps": 3}, "occlusion": {"window": 16, "stride": 16}}
SCALE = (0.5,) * 3, (0.5,) * 3


class Broken(Exception):
    pass


class BreaksBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        return values.clone()

    @staticmethod
    def backward(ctx, slope):
        raise Broken


def made(kind):
    if kind in FAMILIES:
        return case(kind)
    plain = case("cnn")
    if kind == "exported":
        module = torch.export.export(plain.module, (plain.batch,)).module()
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that TorchScript is old
            module = torch.jit.trace(plain.module, plain.batch).eval()
    return of(module, "classification", plain.picture)


def pictures(count=3):
    images = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    part = Samples(images, np.zeros(count, np.int64))
    return DataPictures(Dataset("noise", "Noise", ("a",), part, part, part, *SCALE), "train", 0)


def batches(asked):
    for index in range(3):
        yield [index], [one.clone() for one in asked.inputs] if asked.task == "detection" else asked.batch, None


def of_units(asked, kind):
    """Everything that is asked about one layer: scan, patches, projections by each rule, a grown picture."""
    layer = UNITS.get(kind, "backbone.0")
    known = next((found for found in asked.layers if found.name == layer), None)
    scale = ((0.0,), (1.0,)) if asked.task == "detection" else SCALE

    def through(inputs):
        run_through(asked, inputs if isinstance(inputs, torch.Tensor) else inputs[0][None])

    with LayerPass(asked.module, layer, asked.layers, (SIDE, SIDE), through) as passed:
        assert known is not None
        yield from scanning(Scan(passed, 3), batches(asked), lambda _found: None, 1)
    for rule in ("gradient", "guided", "deconvnet"):
        with LayerPass(asked.module, layer, asked.layers, (SIDE, SIDE), through) as passed:
            yield
            project(passed, asked.inputs, 1, None, rule)
            yield
            patch(passed, asked.inputs, (0, 1.0, 1, 1), 1, SCALE, rule)
    as_inputs = (lambda grown: [grown[0]]) if asked.task == "detection" else None
    with LayerPass(asked.module, layer, asked.layers, (SIDE, SIDE), through) as passed:
        yield from growing(passed, 1, (3, SIDE, SIDE), scale, GrowOptions(steps=3), None, "cpu", as_inputs)


def of_vectors(asked, kind, pool="mean"):
    """Vectors of pictures, as a map of them begins."""

    def prepare(pixels, device=None):
        return asked.prepare(Picture(pixels, Origin("file", "x")))

    model = SimpleNamespace(
        module=asked.module, origin="own", device="cpu", prepare=prepare, entry=SimpleNamespace(task=asked.task)
    )
    layer = UNITS.get(kind, "backbone.0") if kind in FAMILIES else OUTPUT
    return (
        yield from collect(
            model, Preprocessing((3, SIDE, SIDE), *SCALE), asked.layers, asked.labels, pictures(), layer, pool
        )
    )


def attacked(asked, method):
    options = sized(AttackOptions(method, steps=3, epsilon=8.0, size=0.5), Preprocessing((3, SIDE, SIDE), *SCALE))
    if asked.task == "classification":
        victim = make_victim(asked.module, asked.labels, *SCALE, asked.batch)
        yield from attack(victim, asked.batch, options)
    else:
        yield from attack(*victim_of_part(asked, (), (), options), options)


def robust(asked):
    victim = make_victim(asked.module, asked.labels, *SCALE, asked.batch)
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    groups = [(one[None], torch.zeros(1, dtype=torch.int64)) for one in pixels]
    options = AttackOptions("pgd", steps=2)
    yield from robust_accuracy(
        victim, lambda: groups, options, np.array([0.0, 8.0]), ("fgsm", "pgd"), False, lambda _: None
    )


def questions(kind, asked):
    """By name, what makes a new piece of work about a network."""
    found = {}
    for method in METHODS:
        if not reasons_against(method, asked):
            own = METHODS[method].options(**FEW.get(method, {}))
            found[method] = lambda m=method, o=own: attribute(asked, ClassTarget(2), m, o)
    shown = run(attribute(asked, ClassTarget(2), "gradient"))
    found["curves"] = lambda: curves(asked, ClassTarget(2), shown, CurveOptions(steps=3))
    if kind in FAMILIES:
        found["sanity"] = lambda: sanity(asked, ClassTarget(2), "gradient", None, SanityOptions(stages=2))
        found["units"] = lambda: of_units(asked, kind)
    found["vectors"] = lambda: of_vectors(asked, kind)
    for method in ATTACKS:
        found[f"attack {method}"] = lambda m=method: attacked(asked, m)
    if asked.task == "classification":
        found["robust"] = lambda: robust(asked)
    return found


def where_it_breaks(kind, asked):
    """A module that every run comes through."""
    if kind not in FAMILIES:
        return asked.module
    return next(part for part in asked.module.modules() if isinstance(part, torch.nn.Conv2d))


@pytest.mark.parametrize("kind", KINDS)
def test_to_the_end_stopped_or_failing_it_leaves_the_network_as_it_was(kind):
    asked = made(kind)
    module, before = asked.module, state_of(asked.module)
    numbers = torch.get_rng_state()
    for name, ask in questions(kind, asked).items():
        steps = 0
        for _ in ask():
            steps += 1
            assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled(), (name, "while it waits")
        assert state_of(module) == before, name
        for count in range(1, min(steps, 3)):
            work = ask()
            for _ in range(count):
                next(work)
            work.close()
            assert state_of(module) == before, (name, "stopped", count)
    assert torch.equal(torch.get_rng_state(), numbers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_fails_is_left_as_it_was(kind):
    asked = made(kind)
    calls, last = [], 0
    watched = where_it_breaks(kind, asked)

    def breaks(*_):
        calls.append(1)
        if len(calls) >= last:
            raise Broken

    for name, ask in questions(kind, asked).items():
        for last in (1, 3):
            calls.clear()
            handle = watched.register_forward_pre_hook(breaks)
            before = state_of(asked.module)
            try:
                run(ask())
            except Broken:
                pass
            else:
                assert len(calls) < last, name
            assert state_of(asked.module) == before, (name, last)
            handle.remove()
        handle = watched.register_forward_hook(lambda module, given, output: BreaksBack.apply(output))
        before = state_of(asked.module)
        failed = False
        try:
            run(ask())
        except (Broken, UserError):
            failed = True
        if name in METHODS and METHODS[name].backward:
            assert failed or METHODS[name].layered or name == "attention-rollout", name  # those end at later layers
        assert state_of(asked.module) == before, (name, "on the way back")
        handle.remove()
