"""What is left out at random while a network trains, put into one that is built: units, weights, branches (T4 8.7)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_layers import DropConnectLinear, SkippedBranch, StochasticDepth
from guiapp.models.changed_places import WEIGHTS, Ran, beside, ran, replace
from guiapp.models.cifar_resnet import ResidualUnit


def _hidden(order: list[Ran]) -> list[Ran]:
    """Dense layers that are given what another layer has learned."""
    layers = [one for one in order if isinstance(one.module, WEIGHTS)]
    return [one for one in layers[1:] if isinstance(one.module, nn.Linear)]


def drop_units(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    """Set the rate of every dropout, or put dropout before the dense layers that are given hidden units."""
    own = [module for module in model.modules() if isinstance(module, nn.modules.dropout._DropoutNd)]
    if own:
        for module in own:
            module.p = rate
        return
    dense = _hidden(ran(model, size))
    if not dense and rate:
        raise UserError("dropout has no place here: no dense layer of this network is given hidden units")
    for one in dense if rate else ():
        beside(model, one.name, "dropout", nn.Dropout(rate), after=False)


def drop_connections(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    """Let weights of dense layers be left out, those of the scores only where there are no others."""
    dense = [one for one in ran(model, size) if isinstance(one.module, nn.Linear)]
    if not dense:
        raise UserError("DropConnect has no place here: this network has no dense layer")
    for one in dense[:-1] or dense:
        assert isinstance(one.module, nn.Linear)
        replace(model, one.name, DropConnectLinear.of(one.module, rate))


def branch_ends(module: nn.Module) -> tuple[str, ...]:
    """Names of the parts of a residual unit that give what is added to its shortcut; empty for anything else.

    A family of its own says it with an attribute ``branch_ends``; units of torchvision are known by their names.
    """
    own = getattr(module, "branch_ends", None)
    if own is not None:
        return tuple(own)
    whole, name = type(module).__module__, type(module).__name__
    if isinstance(module, ResidualUnit):  # without its shortcut it is two layers of a plain network
        return () if module.shortcut is None else (getattr(module, "_inner", ("bn2",))[-1],)
    if not whole.startswith("torchvision.models."):
        return ()
    if name in ("BasicBlock", "Bottleneck"):
        return ("bn2",) if name == "BasicBlock" else ("bn3",)
    if name == "InvertedResidual" and getattr(module, "use_res_connect", False):
        return ("conv",) if hasattr(module, "conv") else ("block",)
    return ()


def skip_branches(model: nn.Module, size: tuple[int, ...], rate: float) -> None:
    """Let residual branches be left out, the last with this probability, earlier ones in proportion to their place."""
    built = [module for module in model.modules() if type(module).__name__ == "StochasticDepth"]
    ends = [f"{name}.{end}" if name else end for name, module in model.named_modules() for end in branch_ends(module)]
    running = {one.name for one in ran(model, size)}
    ends = [name for name in ends if name in running]
    if built:
        for place, module in enumerate(built, 1):
            module.p = rate * place / len(built)  # type: ignore[assignment]
        return
    if not ends:
        raise UserError("stochastic depth has no place here: this network has no shortcuts beside which to leave out")
    for place, name in enumerate(ends, 1):
        share = rate * place / len(ends)
        old = model.get_submodule(name)
        if isinstance(old, nn.MultiheadAttention):
            replace(model, name, SkippedBranch(old, share))
        elif type(old).forward is nn.Sequential.forward:
            old.add_module("stochastic_depth", StochasticDepth(share))
        else:
            own = name.rpartition(".")[2]
            both = OrderedDict([(own, old), ("stochastic_depth", StochasticDepth(share))])
            replace(model, name, nn.Sequential(both))
