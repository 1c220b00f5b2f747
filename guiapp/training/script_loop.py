"""The loop of an exported script, written out for one recipe."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

from guiapp.training.balance import class_weights
from guiapp.training.gradients import parts_of
from guiapp.training.precision import LARGE
from guiapp.training.recipe import Recipe, Schedule
from guiapp.training.schedules import drop_epochs, full_momentum, has_momentum

if TYPE_CHECKING:
    import torch

    from guiapp.training.script_code import Bundle
    from guiapp.training.setup import Setup

NAMES = (
    "SEED", "EPOCHS", "BATCH", "THREADS", "LABELS", "CLASSES", "STEPS", "TOTAL", "PREPARATION", "CHANGES", "WEIGHTS",
    "load", "fed", "build", "share", "learning_rate", "momentum", "augment", "loss_of", "penalty", "half", "train_step",
    "evaluate", "main", "weights_of", "teachers", "taught", "averaged", "batch", "source", "TEMPERATURES",
    "temperature", "copy", "json", "torch", "np", "functional", "types", "Path", "math", "contextlib", "cycle",
)  # fmt: skip
"""Names that the written-out part uses."""


def step_code(bundle: Bundle, setup: Setup, changed: bool = False, half: bool = False) -> str:
    """Rate, momentum, augmentation, loss and update of one step.

    Args:
        bundle: Takes what is used.
        setup: The run.
        changed: Whether the rate was changed by hand.
        half: Whether half precision may be used.
    """
    recipe = setup.recipe
    pieces = [_rate(bundle, recipe, changed)]
    if has_momentum(recipe):
        pieces.append(_momentum(recipe))
    learned = taught(recipe)
    pieces += [_augment(bundle, setup), _loss(setup), _teaching(recipe) if learned else ""]
    pieces += [_half(bundle, recipe) if half else "", _update(recipe, half)]
    return "\n\n".join(piece for piece in pieces if piece)


def taught(recipe: Recipe) -> bool:
    """Whether a teacher has a share of the loss."""
    return bool(recipe.distillation.teacher) and recipe.distillation.share > 0.0


def given(recipe: Recipe, half: bool) -> str:
    """What ``train_step`` is given between the optimiser and the samples."""
    return ("precision, scaler, " if half else "") + ("asked, temperature(step), " if taught(recipe) else "")


# ------------------------------------------------------------------ the schedule


def _rate(bundle: Bundle, recipe: Recipe, changed: bool) -> str:
    schedule = recipe.schedule
    shape, lines = share_lines(schedule)
    cycle = ""
    if schedule.name == "one-cycle":
        cosine = schedule.curve == "cosine"
        bent = "    part = 0.5 * (1.0 - math.cos(math.pi * part))\n" if cosine else ""
        cycle = _CYCLE.replace("EARLIER", str(int(cosine))).replace("RISE", repr(schedule.rise)).replace("BENT\n", bent)
        cycle += "\n\n"
    elif schedule.warmup:
        start = schedule.warmup_from
        risen = f"{start!r} + {1.0 - start!r} * step / warm"
        lines.insert(0, f"warm = round({schedule.warmup!r} * STEPS)")
        if schedule.name == "step":
            shape = f"(1.0 if step >= warm else {risen}) * {shape}"
        else:
            rest = [*lines[1:], f"return {shape}"]
            rest = [line.replace("TOTAL", "total") for line in rest]
            lines[1:] = [f"if step < warm:\n        return {risen}", "step, total = step - warm, max(TOTAL - warm, 1)"]
            lines += rest[:-1]
            shape = shape.replace("TOTAL", "total")
    body = "\n    ".join([*lines, f"return {shape}"])
    text = f'''{cycle}def share(step):
    """Share of the rate at a step: {schedule.name}."""
    {body}


def learning_rate(step):
'''
    base = repr(recipe.optimiser.lr)
    text += _WITH_CHANGES.replace("BASE", base) if changed else f"    return {base} * share(step)\n"
    if "math." in text:
        bundle.imports.add("import math")
    return text


_WITH_CHANGES = '''    """The rate of a step; after a change by hand it follows the shape in proportion."""
    start, value = -1, BASE
    for at, changed in CHANGES:
        if at <= step:
            start, value = at, changed
    if start < 0:
        return value * share(step)
    return value if start == step else value * share(step) / (share(start) or 1.0)
'''

_CYCLE = '''def cycle(step, first, middle, last):
    """From first to middle while the rate rises, then to last."""
    turn, end = RISE * TOTAL - EARLIER, TOTAL - EARLIER
    if step < turn:
        before, after, part = first, middle, step / turn
    else:
        before, after, part = middle, last, min((step - turn) / (end - turn), 1.0) if end > turn else 1.0
BENT
    return after + (before - after) * (1.0 - part)
'''


def share_lines(schedule: Schedule) -> tuple[str, list[str]]:
    """The share of the rate at ``step`` of ``TOTAL``, ``STEPS`` an epoch, as an expression and lines before it."""
    s = schedule
    down = f"{s.final!r} + {1.0 - s.final!r} * "
    if s.name == "step":
        drops = f"step // ({s.every} * STEPS)"
        if s.points:
            drops = f"sum(step >= round(epoch * STEPS) for epoch in {drop_epochs(s)!r})"
        return f"{s.factor!r} ** ({drops})", []
    if s.name == "cosine":
        again = [f"step = step * {s.cycles} % TOTAL"] if s.cycles > 1 else []
        return f"{down}(0.5 * (1.0 + math.cos(math.pi * min(step / TOTAL, 1.0))))", again
    return {
        "constant": "1.0",
        "exponential": f"{s.factor!r} ** (step / ({s.every} * STEPS))",
        "polynomial": f"{down}(1.0 - min(step / TOTAL, 1.0)) ** {s.power!r}",
        "linear": f"{down}(1.0 - min(step / TOTAL, 1.0)) ** 1.0",
        "inverse": f"(1.0 + {s.gamma!r} * step / STEPS) ** -{s.rho!r}",
        "inverse-sqrt": "1.0 / math.sqrt(1.0 + step / STEPS)",
        "one-cycle": f"cycle(step, {s.start!r}, 1.0, {s.final!r})",
    }[s.name], []


def _momentum(recipe: Recipe) -> str:
    high = full_momentum(recipe)
    return f'''
def momentum(step):
    """Momentum (beta 1 of Adam) of a step: low where the rate is high."""
    return cycle(step, {high!r}, {recipe.schedule.momentum_low!r}, {high!r})
'''


# ------------------------------------------------------------------ samples and loss


def _augment(bundle: Bundle, setup: Setup) -> str:
    from guiapp.training.augmentation import AUGMENTATIONS
    from guiapp.training.augmenter import OPERATIONS

    options = setup.recipe.augmentation
    named = AUGMENTATIONS[options.name]
    if not any(getattr(options, name) for name in OPERATIONS):
        if named is None:
            return ""
        return f"\naugment = {bundle.add(named)}(PREPARATION)\n"
    bundle.imports.add("import types")
    fields = ", ".join(f"{k}={v!r}" for k, v in vars(options).items())
    samples = ', types.SimpleNamespace(images=load()["train"][0])' if options.pca else ""
    made = bundle.add("guiapp.training.augmenter:Augmenter")
    return f"\naugment = {made}(types.SimpleNamespace({fields}), PREPARATION, LABELS{samples})\n"


def _loss(setup: Setup) -> str:
    recipe = setup.recipe
    smoothing, lines = recipe.loss.smoothing, []
    weights = ""
    if recipe.balance.name == "weights":
        found = class_weights(setup.dataset.train.labels, len(setup.classes))
        weights = f"\nWEIGHTS = {[float(w) for w in found.astype('float32')]!r}  # of the classes\n\n"
    if smoothing or weights:
        lines.append("shares = functional.one_hot(targets, LABELS).float() if targets.ndim == 1 else targets")
        lines.append(f"targets = {1.0 - smoothing!r} * shares + {smoothing!r} / LABELS")
        if weights:
            lines.append("targets = targets * (shares @ torch.tensor(WEIGHTS, device=targets.device))[:, None]")
    body = "\n    ".join([*lines, "return functional.cross_entropy(output, targets)"])
    text = f'{weights}\ndef loss_of(output, targets):\n    """Mean loss of a batch."""\n    {body}\n'
    cost = recipe.penalty
    if cost.name != "none" and cost.strength:
        squares = {"l1": 0.0, "l2": 1.0, "elastic": cost.beta}[cost.name]
        terms = [f"[{squares!r} * w.square().sum() for w in weights]"] if squares else []
        terms += ["[w.abs().sum() for w in weights]"] if cost.name != "l2" else []
        text += f'''

def penalty(model):
    """What the weights cost ({cost.name}), without biases."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    return {cost.strength!r} * torch.stack({" + ".join(terms)}).sum()
'''
    return text


def _teaching(recipe: Recipe) -> str:
    wanted = recipe.distillation
    together = "other" if wanted.share == 1.0 else f"{1.0 - wanted.share!r} * loss + {wanted.share!r} * other"
    return f'''
def temperature(step):
    """Temperature of the teacher at a step; changed by hand after some."""
    return [value for at, value in TEMPERATURES if at <= step][-1]


def taught(loss, inputs, output, asked, heat):
    """The loss of the labels and that of the teacher, by shares (Hinton et al. 2015)."""
    wanted = asked.softened(inputs, heat)
    said = torch.log_softmax(output.float() / heat, 1)
    other = heat**2 * functional.kl_div(said, wanted, reduction="batchmean")
    return {together}
'''


# ------------------------------------------------------------------ the update


def may_be_half(recipe: Recipe, model: torch.nn.Module) -> bool:
    """Whether the run uses half precision on some device."""
    if recipe.precision != "auto":
        return recipe.precision == "mixed"
    large = sum(p.numel() for p in model.parameters()) >= LARGE
    return large and recipe.device in ("auto", "cuda") and recipe.optimiser.name != "newton"


def _half(bundle: Bundle, recipe: Recipe) -> str:
    bundle.imports.add("import contextlib")
    unless = "" if recipe.precision == "mixed" else '    if device.type != "cuda":\n        return None\n'
    return f'''
def half(device):
    """The type of half precision, or None."""
{unless}    return torch.bfloat16 if device.type == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
'''


def _update(recipe: Recipe, half: bool) -> str:
    def loss(inputs: str, targets: str) -> str:
        own = f"loss_of(output, {targets})"
        return f"taught({own}, {inputs}, output, asked, heat)" if taught(recipe) else own

    newton = recipe.optimiser.name == "newton"
    parts = parts_of(recipe, 1 << 62) > 1
    count = "1"
    if recipe.optimiser.name == "gd":
        count = f"-(-len(targets) // {max(recipe.batch // recipe.accumulate, 1)})"
    elif recipe.accumulate > 1:
        count = f"min({recipe.accumulate}, len(targets))"
    cost = recipe.penalty.name != "none" and bool(recipe.penalty.strength)
    learning = "model.parameters()"
    if recipe.transfer.decay != 1.0:  # the norm is summed in the order of the optimiser's groups
        learning = '[p for group in optimiser.param_groups for p in group["params"]]'
    clip = {
        "none": "",
        "norm": f"    torch.nn.utils.clip_grad_norm_({learning}, {recipe.clipping.limit!r})\n",
        "value": f"    torch.nn.utils.clip_grad_value_({learning}, {recipe.clipping.limit!r})\n",
    }[recipe.clipping.name]
    forward = "optimiser.differentiable()" if newton else "precision" if half else ""
    backward, unscale, update = "total.backward()", "", "    optimiser.step()\n"
    if half:
        backward, unscale = "scaler.scale(total).backward()", "    scaler.unscale_(optimiser)\n"
        update = "    scaler.step(optimiser)\n    scaler.update()\n"
    if newton:
        backward, update = "optimiser.backward(total)", "    with torch.no_grad():\n        optimiser.step()\n"
    more = given(recipe, half).replace("temperature(step)", "heat")
    head = f'''
def train_step(model, optimiser, {more}inputs, targets):
    """One update of the weights; mean loss and number of right ones."""
    optimiser.zero_grad()
'''
    if not parts:
        return f"""{head}{_within(forward, "output = model(inputs)", f"loss = {loss('inputs', 'targets')}")}
    total = loss{" + penalty(model)" if cost else ""}
    {backward}
{unscale}{clip}{update}    truth = targets if targets.ndim == 1 else targets.argmax(1)
    return loss.detach(), (output.detach().argmax(1) == truth).sum()
"""
    return f"""{head}    losses, rights = [], []
    parts = {count}
    for number, (x, y) in enumerate(zip(inputs.tensor_split(parts), targets.tensor_split(parts)), 1):
{indent(_within(forward, "output = model(x)", f"loss = {loss('x', 'y')}"), "    ")}
        weight = len(y) / len(targets)
        total = loss * weight{" + (penalty(model) if number == parts else 0.0)" if cost else ""}
        {backward}
        losses.append(loss.detach() * weight)
        rights.append((output.detach().argmax(1) == (y if y.ndim == 1 else y.argmax(1))).sum())
{unscale}{clip}{update}    return torch.stack(losses).sum(), torch.stack(rights).sum()
"""


def _within(context: str, *lines: str) -> str:
    """Lines in a context, or as they are where it is empty, four spaces in."""
    block = "\n".join(f"    {line}" for line in lines)
    return f"    with {context}:\n{indent(block, '    ')}" if context else block
