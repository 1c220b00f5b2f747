"""The run of an exported script: ``evaluate`` and ``main``, written out for one recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import TYPE_CHECKING

from guiapp.training import features, seeds
from guiapp.training.averages import STATISTICS_SAMPLES, cycle_ends
from guiapp.training.data import EVALUATION_BATCH
from guiapp.training.layout import has_maps
from guiapp.training.schedules import has_momentum, steps_of_epoch
from guiapp.training.script_loop import given, taught
from guiapp.training.transfer import keeps_statistics, transferring

if TYPE_CHECKING:
    import torch

    from guiapp.training.recipe import Optimiser, Recipe
    from guiapp.training.script_code import Bundle
    from guiapp.training.setup import Setup


@dataclass(frozen=True)
class ByHand:
    """What a person changed during a run: ``(steps done before, value)``, in order.

    Attributes:
        rates: Learning rates.
        temperatures: Of the teacher.
    """

    rates: Sequence[tuple[int, float]] = ()
    temperatures: Sequence[tuple[int, float]] = ()


def run_code(bundle: Bundle, setup: Setup, model: torch.nn.Module, changes: ByHand, half: bool, stem: str) -> str:
    """``evaluate`` and ``main``.

    Args:
        bundle: Takes what is used.
        setup: The run.
        model: Its network.
        changes: By hand.
        half: Whether half precision may be used.
        stem: Name of the script without its ending.
    """
    recipe = setup.recipe
    steps = steps_of_epoch(recipe, len(setup.dataset.train))
    constants = [f"STEPS, TOTAL = {steps}, {steps * recipe.epochs}  # of an epoch, of the run"]
    if changes.rates:
        constants.append(f"CHANGES = {list(changes.rates)!r}  # of the rate, by hand: step and rate")
    if taught(recipe):
        heats = [(0, recipe.distillation.temperature), *changes.temperatures]
        constants.append(f"TEMPERATURES = {heats!r}  # of the teacher: from which step on")
    frozen = _Transfer(bundle, setup, model)
    averaged = _Averages(bundle, recipe, steps, stem)
    lines = [
        "torch.set_num_threads(THREADS)",
        f"device = {_device(recipe)}",
        "data = load()",
        "images = {name: fed(pictures, device) for name, (pictures, _) in data.items()}",
        "labels = {name: torch.from_numpy(truth).to(device) for name, (_, truth) in data.items()}",
        'count = len(labels["train"])',
        "model = build().to(device)",
    ]
    maps = has_maps(model)
    if maps:
        lines += ['if device.type != "mps":', "    model = model.to(memory_format=torch.channels_last)"]
    lines += [*frozen.before, "weights = [p for p in model.parameters() if p.requires_grad]"]
    lines += [f"optimiser = {_optimiser(bundle, recipe.optimiser)}", *frozen.after]
    lines += ["asked = teachers(device)"] if taught(recipe) else []
    lines += _PRECISE if half else []
    lines += ["best, step = None, 0", 'exact = torch.float32 if device.type == "mps" else torch.float64']
    lines += averaged.before
    stopping = _stopping(recipe)
    lines += ['lowest, waited = float("inf"), 0'] if stopping else []
    lines += ["for epoch in range(EPOCHS):"]
    inner = [*frozen.epoch, f"order = {_order(bundle, recipe)}.to(device)", *_batch(bundle, setup, frozen)]
    inner += ["", "loss_sum, right_sum, seen = torch.zeros((), dtype=exact, device=device), 0, 0"]
    inner += ["for _ in range(STEPS):"]
    mix = bundle.add(seeds.mix)
    step = ["for group in optimiser.param_groups:"]
    scaled = ' * group.get("scale", 1.0)' if recipe.transfer.decay != 1.0 else ""
    step += [f'    group["lr"] = learning_rate(step){scaled}', *_beta(recipe), "inputs, targets = batch(step)"]
    step += ["model.train()", *frozen.step, f"torch.manual_seed({mix}(SEED, {seeds.STEP}, step))"]
    if maps:
        unless = "if inputs.ndim == 4:\n    " if frozen.shape is not None else ""
        step += [f"{unless}inputs = inputs.contiguous(memory_format=torch.channels_last)"]
    step += [f"loss, right = train_step(model, optimiser, {given(recipe, half)}inputs, targets)"]
    step += ["loss_sum.add_(loss, alpha=len(targets))"]
    step += ["right_sum, seen, step = right_sum + int(right), seen + len(targets), step + 1", *averaged.step]
    inner += [_in(step)]
    shown = frozen.validated
    inner += [
        'train = {"loss": loss_sum.item() / seen, "accuracy": right_sum / seen}',
        f'validation = evaluate({averaged.network}, {shown}, labels["validation"])',
        'print(f"epoch {epoch + 1}: train {train} validation {validation}", flush=True)',
        'if best is None or (validation["accuracy"], -validation["loss"]) > best[:2]:',
        f"    kept = {{name: tensor.clone() for name, tensor in {averaged.kept}.state_dict().items()}}",
        '    best = (validation["accuracy"], -validation["loss"], validation["loss"], kept)',
        *stopping,
    ]
    lines += [_in(inner)]
    if recipe.keep == "best":
        lines += ["model.load_state_dict(best[3])", 'validation = {"loss": best[2], "accuracy": best[0]}']
    lines += ['test = evaluate(model, images["test"], labels["test"])']
    lines += ['print(json.dumps({"steps": step, "train": train, "validation": validation, "test": test}))']
    head = "\n".join(constants)
    return f'''{head}


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

{averaged.code}
def main():
    """Train, choose the weights on the validation part, look at the test part once."""
{_in(lines)}


if __name__ == "__main__":
    main()
'''


_PRECISE = [
    "dtype = half(device)",
    "precision = contextlib.nullcontext() if dtype is None else torch.autocast(device.type, dtype)",
    "scaler = torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)",
]


def _in(lines: Sequence[str]) -> str:
    return indent("\n".join(lines), "    ")


def _device(recipe: Recipe) -> str:
    if recipe.device != "auto":
        return f'torch.device("{recipe.device}")'
    other = '"mps" if torch.backends.mps.is_available() else "cpu"'
    return f'torch.device("cuda" if torch.cuda.is_available() else {other})'


def _order(bundle: Bundle, recipe: Recipe) -> str:
    drawn = f'{bundle.add(seeds.generator)}("cpu", {bundle.add(seeds.mix)}(SEED, {seeds.ORDER}, epoch))'
    if recipe.balance.name == "sampling":
        return f'{bundle.add("guiapp.training.balance:draw_order")}(labels["train"].cpu(), count, {drawn})'
    return f"torch.randperm(count, generator={drawn})"


def _beta(recipe: Recipe) -> list[str]:
    """The momentum of a step, where it changes."""
    if not has_momentum(recipe):
        return []
    if recipe.optimiser.name in ("adam", "adamw"):
        return ['    group["betas"] = (momentum(step), group["betas"][1])']
    return ['    group["momentum"] = momentum(step)']


def _stopping(recipe: Recipe) -> list[str]:
    if not recipe.stopping.patience:
        return []
    watched = 'validation["loss"]' if recipe.stopping.watch == "loss" else '-validation["accuracy"]'
    return [
        f"waited = 0 if {watched} < lowest - {recipe.stopping.margin!r} else waited + 1",
        f"lowest = {watched} if waited == 0 else lowest",
        f"if waited >= {recipe.stopping.patience}:",
        "    break",
    ]


def _batch(bundle: Bundle, setup: Setup, frozen: _Transfer) -> list[str]:
    """``batch(at)``, what a step of the epoch learns from."""
    lines = [
        '"""Inputs and targets of a step of this epoch."""',
        "chosen = order[at % STEPS * BATCH : (at % STEPS + 1) * BATCH]",
        f'inputs, targets = {frozen.source}.index_select(0, chosen), labels["train"].index_select(0, chosen)',
    ]
    if not frozen.views:
        draw = f"{bundle.add(seeds.generator)}(device, {bundle.add(seeds.mix)}(SEED, {seeds.AUGMENTATION}, at))"
        lines += _augmented(setup, draw)
    return ["", "def batch(at):", _in([*lines, "return inputs, targets"])]


def _augmented(setup: Setup, draw: str, targets: str = "targets") -> list[str]:
    from guiapp.training.augmentation import AUGMENTATIONS
    from guiapp.training.augmenter import OPERATIONS

    options = setup.recipe.augmentation
    if any(getattr(options, name) for name in OPERATIONS):
        return [f"inputs, {targets} = augment(inputs, {targets}, {draw})"]
    if AUGMENTATIONS[options.name] is not None:
        return [f"inputs = augment(inputs, {draw})"]
    return []


class _Transfer:
    """What the recipe freezes, in lines of ``main``.

    Attributes:
        before, after: Of the making of the optimiser.
        epoch, step: At the beginning of an epoch; before a step.
        source, validated: What training and validation samples are taken from.
        shape: Of the features that are kept, or None where pictures are learned from.
        views: Versions of each sample that are kept.
    """

    def __init__(self, bundle: Bundle, setup: Setup, model: torch.nn.Module) -> None:
        self.before: list[str] = []
        self.after: list[str] = []
        self.epoch: list[str] = []
        self.step: list[str] = []
        self.source, self.validated = 'images["train"]', 'images["validation"]'
        self.shape: tuple[int, ...] | None = None
        self.views = 0
        if transferring(setup) is None:
            return
        recipe = setup.recipe.transfer
        names = ("models.head:find_head", "models.head:head_parameters", "models.head:body_groups")
        find, own, body = (bundle.add(f"guiapp.{name}") for name in names)
        join = bundle.add("guiapp.training.transfer:join")
        self.before = [f"head = {find}(model)"]
        self.before += [f"groups = [{own}(model, head), *{body}(model, head, {recipe.groups})]  # the head first"]
        kept = keeps_statistics(setup)
        if recipe.name == "gradual":
            self.epoch = [f"joined = groups[: min(1 + epoch // {recipe.every}, len(groups))]"]
            self.epoch += [f"still = {join}(model, head, joined, {kept})  # works as in evaluation"]
        else:
            learning = "groups[:1]" if recipe.name == "head" else "groups"
            self.before += [f"still = {join}(model, head, {learning}, {kept})  # works as in evaluation"]
        self.step = ["for module in still:", "    module.training = False"]
        if recipe.decay != 1.0:
            divide = bundle.add("guiapp.training.transfer:divide")
            self.after = [f"{divide}(optimiser, model, groups, {recipe.decay!r})"]
        self._features(bundle, setup, model)

    def _features(self, bundle: Bundle, setup: Setup, model: torch.nn.Module) -> None:
        """Learn the head from what the frozen layers give, worked out once, where the run does so."""
        from guiapp.models.head import feature_shape, find_head

        recipe = setup.recipe.transfer
        if not features.keeps_features(setup):
            return
        shape = feature_shape(model, find_head(model), setup.preprocessing.size)
        if shape is None or not features.fits(setup, shape):
            return
        self.shape = shape
        take, found = bundle.add("guiapp.models.head:take_features"), bundle.add("guiapp.models.head:features_of")
        self.after += [
            f"{take}(model, head, {shape!r})",
            "",
            "def features(pictures, view=None):",
            _in(self._blocks(bundle, setup, found)),
            "",
            'known = {part: features(images[part]) for part in ("train", "validation")}',
        ]
        self.source, self.validated = 'known["train"]', 'known["validation"]'
        if recipe.views and _augmented(setup, ""):
            self.views = recipe.views
            self.after += [f'views = [features(images["train"], view) for view in range({recipe.views})]']
            self.source = f"views[epoch % {recipe.views}]"
        if recipe.name == "gradual":
            self.epoch += [f"source = known if epoch < {recipe.every} else images"]
            self.source, self.validated = 'source["train"]', 'source["validation"]'

    def _blocks(self, bundle: Bundle, setup: Setup, found: str) -> list[str]:
        size = features.BLOCK
        inner = [f"inputs = pictures[start : start + {size}].contiguous(memory_format=torch.channels_last)"]
        if setup.recipe.transfer.views and _augmented(setup, ""):
            counter = f"{features.VIEWS} + view * {1 << 24} + start"
            draw = (
                f"{bundle.add(seeds.generator)}(device, {bundle.add(seeds.mix)}(SEED, {seeds.AUGMENTATION}, {counter}))"
            )
            inner += [
                "if view is not None:",
                "    targets = torch.zeros(len(inputs), dtype=torch.int64, device=device)",
            ]
            inner += [f"    {line}" for line in _augmented(setup, draw)]
        inner += [f"found.append({found}(model, head, inputs).contiguous())"]
        return [
            '"""What the frozen layers give for pictures."""', "found = []",
            f"for start in range(0, len(pictures), {size}):", _in(inner), "return torch.cat(found)",
        ]  # fmt: skip


class _Averages:
    """Averages of weights and weights that are kept on the way, in lines of ``main``.

    Attributes:
        code: Functions before ``main``.
        before, step: Lines before the loop, and after each step.
        network, kept: What is validated, and what is kept of it.
    """

    def __init__(self, bundle: Bundle, recipe: Recipe, steps: int, stem: str) -> None:
        self.code, self.network = "", "model"
        self.before: list[str] = []
        self.step: list[str] = []
        wanted = recipe.average
        if wanted.name != "none":
            bundle.imports.add("import copy")
            self.code, self.before = _AVERAGED, ["mean = None"]
            self.network = "model if mean is None else mean"
            first = round(wanted.start * steps)
            if wanted.name == "polyak":
                lines = [f"mean = averaged(mean, model, {1.0 - wanted.rho!r})"]
            else:
                lines = self._cycles(bundle, recipe, steps)
            self.step = [f"if step > {first}:", _in(lines)] if first else lines
        if recipe.members.name != "none":
            bundle.imports.add("from pathlib import Path")
            ends = sorted(cycle_ends(recipe, recipe.members.every, steps))
            kept = f'Path(__file__).with_name(f"{stem}-{{step}}.pt")'
            self.step += [f"if step in {ends!r}:", f"    torch.save(model.state_dict(), {kept})  # of the ensemble"]
        self.kept = f"({self.network})" if " " in self.network else self.network

    def _cycles(self, bundle: Bundle, recipe: Recipe, steps: int) -> list[str]:
        self.before += ["number, stale = 0, False"]
        again = bundle.add("guiapp.training.averages:estimate_statistics")
        count = min(-(-STATISTICS_SAMPLES // recipe.batch), steps)
        ends = sorted(cycle_ends(recipe, recipe.average.every, steps))
        return [
            f"if step in {ends!r}:",
            "    number, stale = number + 1, True",
            "    mean = averaged(mean, model, 1.0 / number)",
            "if stale and step % STEPS == 0:  # its batch statistics are those of no network yet",
            f"    {again}(mean, (batch(at)[0] for at in range(step - {count}, step)), model)",
            "    stale = False",
        ]


_AVERAGED = '''
@torch.no_grad()
def averaged(mean, model, share):
    """The average with a share of the weights as they are now; the first ones are all of it."""
    if mean is None:
        return copy.deepcopy(model).requires_grad_(False).eval()
    pairs = list(zip([*mean.parameters(), *mean.buffers()], [*model.parameters(), *model.buffers()]))
    floating = [(kept, now) for kept, now in pairs if kept.is_floating_point()]
    torch._foreach_lerp_([kept for kept, _ in floating], [now for _, now in floating], share)
    for kept, now in pairs:
        if not kept.is_floating_point():
            kept.copy_(now)
    return mean

'''


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
