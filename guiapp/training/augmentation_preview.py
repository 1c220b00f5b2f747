"""What augmentation makes of real samples: many draws of one sample, the batch of a step, views that vote."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from guiapp.training import seeds
from guiapp.training.augmenter import augmenter_of
from guiapp.training.data import TrainingData
from guiapp.training.evaluation import Evaluation, evaluating, finish
from guiapp.training.voting import RULES, VIEWS, Rule, Voting, joint, views_of

if TYPE_CHECKING:
    from guiapp.datasets.base import Part
    from guiapp.engine.state import Opened
    from guiapp.models.base import Preprocessing
    from guiapp.training.setup import Setup

_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures with what stands below them.

    Attributes:
        pictures: uint8 (H, W, C) each.
        captions: One line each.
        labels: Class index of each, the one with the largest share where samples are mixed.
        text: One line on all of them.
    """

    pictures: Sequence[npt.NDArray[np.uint8]]
    captions: Sequence[str]
    labels: Sequence[int]
    text: str


def setup_of(opened: Opened) -> Setup:
    """The setup that a start would use for what is open, without opening anything again."""
    from guiapp.tasks.base import make_task
    from guiapp.training.setup import Setup

    dataset = opened.dataset
    return Setup(
        opened.experiment,
        opened.recipe,
        dataset.name,
        opened.model,
        opened.preprocessing,
        tuple(opened.labels),
        make_task(opened.experiment.task, tuple(opened.labels)),
        opened.model_options,
        open_data=lambda: dataset,
    )


def as_pictures(inputs: torch.Tensor, preprocessing: Preprocessing) -> list[npt.NDArray[np.uint8]]:
    """Prepared samples (N, C, H, W) as pictures again, uint8 (H, W, C); what lies outside of 0 to 1 is cut off."""
    mean = torch.tensor(preprocessing.mean).reshape(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std).reshape(1, -1, 1, 1)
    pixels = ((inputs.cpu() * std + mean).clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
    return list(pixels.permute(0, 2, 3, 1).contiguous().numpy())


def draws(setup: Setup, part: Part, index: int, count: int, first: int = 0) -> Shown:
    """One sample as it is, then changed by each of ``count`` draws.

    Where the recipe mixes samples, the other one is another sample of the training part for each draw.

    Args:
        setup: The run.
        part: Part of the data set.
        index: Of the sample.
        count: Number of draws.
        first: Number of the first draw.
    """
    samples, train = setup.dataset.part(part), setup.dataset.train
    image, label = np.asarray(samples.images[index]), int(samples.labels[index])
    change = augmenter_of(setup)
    pictures, captions, labels = [setup.preprocessing(image)[0]], ["as it is"], [label]
    for number in range(first, first + count):
        if change is None:
            break
        seed = seeds.mix(setup.recipe.seed, seeds.AUGMENTATION, number)
        other = seed % len(train)
        inputs = setup.preprocessing(np.stack([np.asarray(train.images[other]), image]))
        targets = torch.tensor([int(train.labels[other]), label])
        changed, shares = change(inputs, targets, seeds.generator("cpu", seed))
        pictures.append(changed[1])
        captions.append(shares_in_words(shares[1], setup.classes, label) if shares.ndim > 1 else f"draw {number + 1}")
        labels.append(int(shares[1].argmax()) if shares.ndim > 1 else label)
    text = f"{part} {index}, {setup.classes[label]}"
    text += f": draws {first + 1} to {first + count}" if change is not None else ": nothing is changed"
    return Shown(as_pictures(torch.stack(pictures), setup.preprocessing), captions, labels, text)


def step_batch(setup: Setup, step: int, most: int) -> Shown:
    """What the step after ``step`` others trains on: the very samples and draws of the recipe's seed.

    Args:
        setup: The run.
        step: Steps done before.
        most: Samples that are shown; the batch may be larger.
    """
    data = TrainingData(setup, _CPU)
    inputs, targets = data.batch(step)
    labels = (targets.argmax(1) if targets.ndim > 1 else targets)[:most].tolist()
    if targets.ndim > 1:
        captions = [f"{setup.classes[c]} {100 * float(row[c]):.0f} %" for c, row in zip(labels, targets, strict=False)]
    else:
        captions = [setup.classes[label] for label in labels]
    epoch, position = divmod(step, data.steps_per_epoch)
    seen = f"{min(most, len(inputs))} of {len(inputs)} samples"
    text = f"epoch {epoch + 1}, batch {position + 1} of {data.steps_per_epoch:,}: {seen}"
    return Shown(as_pictures(inputs[:most], setup.preprocessing), captions, labels, text)


def shares_in_words(shares: torch.Tensor, classes: Sequence[str], first: int | None = None) -> str:
    """Shares of the classes (K,) as ``"70 % cat, 30 % dog"``: ``first`` before the others, then the largest."""
    order = sorted(range(len(shares)), key=lambda index: (index != first, -float(shares[index])))
    words = [f"{100 * float(shares[i]):.0f} % {classes[i]}" for i in order if i == first or float(shares[i]) >= 0.005]
    return ", ".join(words)


@torch.no_grad()
def ballot(network: torch.nn.Module, setup: Setup, image: npt.NDArray[np.uint8], kind: Any, count: int) -> Shown:
    """What a network says of each view of a sample, and what comes of the vote.

    Args:
        network: In evaluation mode.
        setup: What it was trained with.
        image: The sample, uint8 (H, W, C).
        kind: Kind of the views, see ``voting.VIEWS``.
        count: Number of random draws.
    """
    inputs = setup.preprocessing(image)
    views = views_of(kind, setup.preprocessing, setup.recipe.augmentation, count)
    answers = Voting(network, views).each(inputs)
    best = answers[:, 0].argmax(1)
    captions = [f"{100 * float(a[0, b]):.0f} % {setup.classes[b]}" for a, b in zip(answers, best.tolist(), strict=True)]
    alone = torch.softmax(network(inputs).float(), 1)[0]
    words = []
    for rule in RULES:
        answer = joint(answers, rule)[0]
        index = int(answer.argmax())
        told = (
            f"{int((best == index).sum())} of {len(views)} votes"
            if rule == "majority"
            else f"{100 * float(answer[index]):.0f} %"
        )
        words.append(f"{'votes' if rule == 'majority' else 'mean'}: {setup.classes[index]}, {told}")
    index = int(alone.argmax())
    text = f"alone: {setup.classes[index]}, {100 * float(alone[index]):.0f} % · {' · '.join(words)}"
    pictures = as_pictures(torch.cat([view(inputs) for view in views]), setup.preprocessing)
    return Shown(pictures, captions, best.tolist(), text)


@dataclass(frozen=True, eq=False)
class Measured:
    """The figures of one kind of voting on a part.

    Attributes:
        kind: ``"alone"``, or one of ``voting.VIEWS``.
        count: Number of views.
        found: Figures by rule; both the same for ``"alone"``.
    """

    kind: str
    count: int
    found: dict[Rule, Evaluation]


def measuring(
    network: torch.nn.Module, setup: Setup, part: Part, count: int, tell: Callable[[list[Measured]], None]
) -> Generator[tuple[float, str], None, list[Measured]]:
    """The accuracy of a network on a part alone and with each kind of views; yields share and words.

    Args:
        network: In evaluation mode, on the CPU or where its parameters are.
        setup: What it was trained with.
        part: Part of the data set.
        count: Number of random draws.
        tell: Called with the rows so far.
    """
    samples, options = setup.dataset.part(part), setup.recipe.augmentation
    device = next((p.device for p in network.parameters()), _CPU)
    without = dataclasses.replace(options, mixup=0.0, cutmix=0.0)
    kinds: list[str] = ["alone", *(kind for kind in VIEWS if kind != "draws" or augmenter_of(_with(setup, without)))]
    rows: list[Measured] = []
    for number, kind in enumerate(kinds):
        views = (lambda inputs: inputs,) if kind == "alone" else views_of(kind, setup.preprocessing, options, count)  # type: ignore[arg-type]
        kept: list[tuple[torch.Tensor, torch.Tensor]] = []
        for start in range(0, len(samples), 128):
            place = slice(start, start + 128)
            with torch.no_grad():
                inputs = setup.preprocessing(np.asarray(samples.images[place]), device)
                answers = Voting(network, views).each(inputs).cpu()
            kept.append((answers, torch.from_numpy(np.asarray(samples.labels[place], np.int64))))
            yield (number + min(start + 128, len(samples)) / max(len(samples), 1)) / len(kinds), f"{kind} on {part}"
        found = {}
        for rule in RULES:
            logs = [(torch.log(joint(answers, rule).clamp_min(1e-30)), truth) for answers, truth in kept]
            found[rule] = finish(evaluating(torch.nn.Identity(), setup.task, logs, len(samples)))
        rows.append(Measured(kind, len(views), found))
        tell(list(rows))
    return rows


def _with(setup: Setup, options: Any) -> Setup:
    return setup.with_recipe(dataclasses.replace(setup.recipe, augmentation=options))
