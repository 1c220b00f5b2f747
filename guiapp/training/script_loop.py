"""The loop of an exported script, written out for one recipe."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from guiapp.training import seeds
from guiapp.training.balance import class_weights
from guiapp.training.data import EVALUATION_BATCH
from guiapp.training.gradients import parts_of
from guiapp.training.layout import has_maps
from guiapp.training.precision import LARGE
from guiapp.training.recipe import Optimiser, Recipe, Schedule
from guiapp.training.schedules import drop_epochs, full_momentum, has_momentum

if TYPE_CHECKING:
    import torch

    from guiapp.training.script_code import Bundle
    from guiapp.training.setup import Setup

NAMES = (
    "SEED", "EPOCHS", "BATCH", "THREADS", "LABELS", "CLASSES", "STEPS", "TOTAL", "PREPARATION", "CHANGES", "WEIGHTS",
    "load", "fed", "build", "share", "learning_rate", "momentum", "augment", "loss_of", "penalty", "half", "train_step",
    "evaluate", "main", "json", "torch", "np", "functional", "types", "Path", "math", "contextlib", "cycle",
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
    pieces += [_augment(bundle, setup), _loss(setup), _half(bundle, recipe) if half else "", _update(recipe, half)]
    return "\n\n".join(piece for piece in pieces if piece)


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
    newton = recipe.optimiser.name == "newton"
    parts = parts_of(recipe, 1 << 62) > 1
    count = "1"
    if recipe.optimiser.name == "gd":
        count = f"-(-len(targets) // {max(recipe.batch // recipe.accumulate, 1)})"
    elif recipe.accumulate > 1:
        count = f"min({recipe.accumulate}, len(targets))"
    cost = recipe.penalty.name != "none" and bool(recipe.penalty.strength)
    clip = {
        "none": "",
        "norm": f"    torch.nn.utils.clip_grad_norm_(model.parameters(), {recipe.clipping.limit!r})\n",
        "value": f"    torch.nn.utils.clip_grad_value_(model.parameters(), {recipe.clipping.limit!r})\n",
    }[recipe.clipping.name]
    forward = "optimiser.differentiable()" if newton else "precision" if half else ""
    backward, unscale, update = "total.backward()", "", "    optimiser.step()\n"
    if half:
        backward, unscale = "scaler.scale(total).backward()", "    scaler.unscale_(optimiser)\n"
        update = "    scaler.step(optimiser)\n    scaler.update()\n"
    if newton:
        backward, update = "optimiser.backward(total)", "    with torch.no_grad():\n        optimiser.step()\n"
    head = f'''
def train_step(model, optimiser, {"precision, scaler, " if half else ""}inputs, targets):
    """One update of the weights; mean loss and number of right ones."""
    optimiser.zero_grad()
'''
    if not parts:
        return f"""{head}{_within(forward, "output = model(inputs)", "loss = loss_of(output, targets)")}
    total = loss{" + penalty(model)" if cost else ""}
    {backward}
{unscale}{clip}{update}    truth = targets if targets.ndim == 1 else targets.argmax(1)
    return loss.detach(), (output.detach().argmax(1) == truth).sum()
"""
    return f"""{head}    losses, rights = [], []
    parts = {count}
    for number, (x, y) in enumerate(zip(inputs.tensor_split(parts), targets.tensor_split(parts)), 1):
{indent(_within(forward, "output = model(x)", "loss = loss_of(output, y)"), "    ")}
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


def _optimiser(bundle: Bundle, options: Optimiser) -> str:
    """The call that makes it, as ``optimisers.build`` does."""
    name, common = options.name, f"weights, lr={options.lr!r}, weight_decay={options.weight_decay!r}"
    fused = 'fused=device.type in ("cpu", "cuda", "mps")'
    if name in ("gd", "sgd", "momentum", "nesterov"):
        kept = 0.0 if name in ("gd", "sgd") else options.momentum
        nesterov = ", nesterov=True" if name == "nesterov" and kept else ""
        return f"torch.optim.SGD({common}, momentum={kept!r}{nesterov}, {fused})"
    if name == "newton":
        made = bundle.add("guiapp.training.newton:NewtonCG")
        return f"{made}({common}, damping={options.damping!r}, iterations={options.iterations})"
    if name == "adagrad":
        return f'torch.optim.Adagrad({common}, fused=device.type == "cpu")'
    if name == "rmsprop":
        return f"torch.optim.RMSprop({common}, alpha={options.beta2!r}, momentum={options.momentum!r}, foreach=True)"
    kind = "AdamW" if name == "adamw" else "Adam"
    return f"torch.optim.{kind}({common}, betas=({options.beta1!r}, {options.beta2!r}), {fused})"


# ------------------------------------------------------------------ the run


def run_code(
    bundle: Bundle, setup: Setup, model: torch.nn.Module, changes: Sequence[tuple[int, float]], half: bool
) -> str:
    """``evaluate`` and ``main``; see ``step_code``."""
    recipe = setup.recipe
    mix = bundle.add(seeds.mix)
    generator = bundle.add(seeds.generator)
    count = len(setup.dataset.train)
    size = count if recipe.optimiser.name == "gd" else recipe.batch
    full, rest = divmod(count, size)
    steps = max(full + (rest > (1 if full else 0)), 1)
    maps = has_maps(model)
    device = f'torch.device("{recipe.device}")'
    if recipe.device == "auto":
        other = '"mps" if torch.backends.mps.is_available() else "cpu"'
        device = f'torch.device("cuda" if torch.cuda.is_available() else {other})'
    order = f'torch.randperm(count, generator={generator}("cpu", {mix}(SEED, {seeds.ORDER}, epoch)))'
    if recipe.balance.name == "sampling":
        drawn = bundle.add("guiapp.training.balance:draw_order")
        order = f'{drawn}(labels["train"].cpu(), count, {generator}("cpu", {mix}(SEED, {seeds.ORDER}, epoch)))'
    augmented = _augment_call(setup, f"{generator}(device, {mix}(SEED, {seeds.AUGMENTATION}, step))")
    beta = ""
    if has_momentum(recipe):
        adam = recipe.optimiser.name in ("adam", "adamw")
        value = '"betas"] = (momentum(step), group["betas"][1])' if adam else '"momentum"] = momentum(step)'
        beta = f"\n                group[{value}"
    stop_begin = stop = ""
    if recipe.stopping.patience:
        watched = 'validation["loss"]' if recipe.stopping.watch == "loss" else '-validation["accuracy"]'
        stop_begin = '    lowest, waited = float("inf"), 0\n'
        stop = f"""        waited = 0 if {watched} < lowest - {recipe.stopping.margin!r} else waited + 1
        lowest = {watched} if waited == 0 else lowest
        if waited >= {recipe.stopping.patience}:
            break
"""
    keep = ""
    if recipe.keep == "best":
        keep = """    model.load_state_dict(best[3])
    validation = {"loss": best[2], "accuracy": best[0]}
"""
    precise = (
        ""
        if not half
        else """    dtype = half(device)
    precision = contextlib.nullcontext() if dtype is None else torch.autocast(device.type, dtype)
    scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)
"""
    )
    placed = "model = build().to(device)"
    to_maps = ""
    if maps:
        placed += '\n    if device.type != "mps":\n        model = model.to(memory_format=torch.channels_last)'
        to_maps = "\n            inputs = inputs.contiguous(memory_format=torch.channels_last)"
    made_by = _optimiser(bundle, recipe.optimiser)
    return f'''STEPS, TOTAL = {steps}, {steps * recipe.epochs}  # of an epoch, of the run
{f"CHANGES = {list(changes)!r}  # of the rate, by hand: step and rate" if changes else ""}


@torch.no_grad()
def evaluate(model, images, labels):
    """Loss and accuracy in evaluation mode."""
    model.eval()
    losses, counts, right = [], [], 0
    for x, y in zip(images.split({EVALUATION_BATCH}), labels.split({EVALUATION_BATCH})):
        output = model(x)
        losses.append(functional.cross_entropy(output, y))
        counts.append(len(y))
        right += int((output.argmax(1) == y).sum())
    weights = np.array(counts, np.float64)
    loss = float((torch.stack(losses).cpu().double().numpy() * weights).sum() / weights.sum())
    return {{"loss": loss, "accuracy": right / len(labels)}}


def main():
    """Train, choose the weights on the validation part, look at the test part once."""
    torch.set_num_threads(THREADS)
    device = {device}
    data = load()
    images = {{name: fed(pictures, device) for name, (pictures, _) in data.items()}}
    labels = {{name: torch.from_numpy(truth).to(device) for name, (_, truth) in data.items()}}
    count = len(labels["train"])
    {placed}
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = {made_by}
{precise}    best, step = None, 0
    exact = torch.float32 if device.type == "mps" else torch.float64
{stop_begin}    for epoch in range(EPOCHS):
        order = {order}.to(device)
        loss_sum, right_sum, seen = torch.zeros((), dtype=exact, device=device), 0, 0
        for position in range(STEPS):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(step){beta}
            chosen = order[position * BATCH : (position + 1) * BATCH]
            inputs, targets = images["train"].index_select(0, chosen), labels["train"].index_select(0, chosen)
{augmented}            model.train()
            torch.manual_seed({mix}(SEED, {seeds.STEP}, step)){to_maps}
            loss, right = train_step(model, optimiser, {"precision, scaler, " if half else ""}inputs, targets)
            loss_sum.add_(loss, alpha=len(targets))
            right_sum, seen, step = right_sum + int(right), seen + len(targets), step + 1
        train = {{"loss": loss_sum.item() / seen, "accuracy": right_sum / seen}}
        validation = evaluate(model, images["validation"], labels["validation"])
        print(f"epoch {{epoch + 1}}: train {{train}} validation {{validation}}", flush=True)
        if best is None or (validation["accuracy"], -validation["loss"]) > best[:2]:
            kept = {{name: tensor.clone() for name, tensor in model.state_dict().items()}}
            best = (validation["accuracy"], -validation["loss"], validation["loss"], kept)
{stop}{keep}    test = evaluate(model, images["test"], labels["test"])
    print(json.dumps({{"steps": step, "train": train, "validation": validation, "test": test}}))


if __name__ == "__main__":
    main()
'''


def _augment_call(setup: Setup, draw: str) -> str:
    from guiapp.training.augmentation import AUGMENTATIONS
    from guiapp.training.augmenter import OPERATIONS

    options = setup.recipe.augmentation
    if any(getattr(options, name) for name in OPERATIONS):
        return f"            inputs, targets = augment(inputs, targets, {draw})\n"
    if AUGMENTATIONS[options.name] is not None:
        return f"            inputs = augment(inputs, {draw})\n"
    return ""
