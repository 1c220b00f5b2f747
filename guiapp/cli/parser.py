"""The words of the command line. Nothing here imports what the commands need: ``guiapp --help`` is quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guiapp import __version__
from guiapp.bench import BENCHMARKS
from guiapp.cli.votes import add_votes

LISTS = ("experiments", "models", "datasets", "probes", "systems")
DEVICES = ("auto", "cpu", "cuda", "mps")
PARTS = ("train", "validation", "test")

_EXIT_CODES = "Exit codes: 0 done, 1 the work failed (the reason in one line), 2 bad arguments."
_TARGET = "a run (its folder or its name), shipped weights, or a file of your own (see `guiapp list models`)"


def build() -> argparse.ArgumentParser:
    """The parser. Each command sets ``run`` to ``"module:function"``, called with the parsed options."""
    parser = argparse.ArgumentParser(
        prog="guiapp",
        description="Vision Explorer: train vision networks and look inside them while they learn. "
        "Without a command the window opens.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"guiapp {__version__}")
    parser.set_defaults(run="guiapp.cli.window:run", path=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in (
        _open,
        _list,
        _fetch,
        _train,
        _recipe,
        _script,
        _search,
        _runs,
        _predict,
        _evaluate,
        _ensemble,
        _diagnose,
        _probe,
        _inspect,
        _export,
        _screenshot,
        _bench,
    ):
        add(commands)
    return parser


def setting(text: str) -> tuple[str, str]:
    """``KEY=VALUE`` as a pair."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return name.strip(), value.strip()


def size(text: str) -> tuple[int, int]:
    """``WIDTHxHEIGHT`` in pixels."""
    try:
        width, height = (int(word) for word in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 1600x1000") from None
    if not (100 <= width <= 16384 and 100 <= height <= 16384):
        raise argparse.ArgumentTypeError("width and height lie between 100 and 16384")
    return width, height


def whole(low: int) -> Callable[[str], int]:
    """A whole number that is at least ``low``."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < low:
            raise argparse.ArgumentTypeError(f"{value} is less than {low}")
        return value

    return convert


def _command(commands: Any, name: str, help: str, run: str, json: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help, epilog=_EXIT_CODES)
    parser.set_defaults(run=run)
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    return parser


def _settings(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="KEY=VALUE", help=help)


def _open(commands: Any) -> None:
    parser = _command(
        commands, "open", "open the window on a picture, a video, a camera or a run", "guiapp.cli.window:run", False
    )
    help = (
        "picture, folder of pictures, run folder, video; camera:0 or camera:NAME; screen: or "
        "screen:X,Y,WIDTH,HEIGHT; address of a stream"
    )
    parser.add_argument("path", metavar="PATH|camera:0|screen:|URL", help=help)


def _list(commands: Any) -> None:
    parser = _command(commands, "list", "list what there is", "guiapp.cli.lists:run")
    parser.add_argument("what", choices=LISTS)
    help = "of models: the networks of timm whose names hold these words"
    parser.add_argument("--timm", nargs="*", metavar="WORD", help=help)


def _fetch(commands: Any) -> None:
    parser = _command(commands, "fetch", "bring the weights of a published network here", "guiapp.cli.fetch:run")
    parser.add_argument("model", metavar="MODEL", help="a published network (see `guiapp list models`)")
    parser.add_argument("--weights", default="best", metavar="NAME", help="which of its weights (the recommended ones)")


def _train(commands: Any) -> None:
    parser = _command(commands, "train", "train an experiment", "guiapp.cli.train:run")
    help = "see `guiapp list experiments`; that of the recipe where one is given"
    parser.add_argument("experiment", metavar="EXPERIMENT", nargs="?", help=help)
    help = "a .recipe.json from `guiapp recipe` or the window; --set and the like change it further"
    parser.add_argument("--recipe", type=Path, metavar="FILE", help=help)
    parser.add_argument("--epochs", type=whole(1), metavar="N", help="passes over the training part")
    _settings(parser, "any setting of the experiment or recipe: dataset=mnist, optimiser.lr=0.1, batch=128")
    parser.add_argument("--device", choices=DEVICES, help="where the network runs (auto)")
    parser.add_argument("--seed", type=whole(0), metavar="N", help="fixes weights, order and augmentation (0)")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="folder of this run: new or empty, unless --resume")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run-dir, or the newest one")


def _recipe(commands: Any) -> None:
    help = "write the recipe of an experiment or a run as one file"
    parser = _command(commands, "recipe", help, "guiapp.cli.recipe:run")
    parser.add_argument("target", metavar="EXPERIMENT|RUN", help="an experiment, or a run by its folder or name")
    _settings(parser, "a setting of the experiment, as for train")
    parser.add_argument("--out", type=Path, metavar="FILE", help="ends in .recipe.json; printed where it is left out")


def _script(commands: Any) -> None:
    help = "write an experiment or a run as a PyTorch script that needs nothing of this program"
    parser = _command(commands, "script", help, "guiapp.cli.recipe:run_script")
    parser.add_argument("target", metavar="EXPERIMENT|RUN", help="an experiment, or a run by its folder or name")
    _settings(parser, "a setting of the experiment, as for train")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .py")


def _search(commands: Any) -> None:
    help = "train an experiment many times with other settings: grid, random, successive halving, k-fold, seeds"
    parser = _command(commands, "search", help, "guiapp.cli.search:run")
    parser.add_argument("experiment", metavar="EXPERIMENT", nargs="?", help="see `guiapp list experiments`")
    help = "try every value: optimiser.lr=0.1,0.01 or five points of a range, optimiser.lr=1e-4..1e-1/5"
    parser.add_argument("--grid", type=setting, action="append", default=[], metavar="KEY=VALUES", help=help)
    help = "draw from a range, optimiser.lr=1e-4..1e-1 (:log or :linear behind it), or from values"
    parser.add_argument("--random", type=setting, action="append", default=[], metavar="KEY=RANGE", help=help)
    parser.add_argument("--trials", type=whole(1), metavar="N", help="random draws for each point of the grid (20)")
    parser.add_argument("--chance", type=whole(0), default=0, metavar="N", help="seed of the draws (0)")
    help = "successive halving: one of KEEP configurations goes on to the next rung"
    parser.add_argument("--halving", type=whole(2), default=0, metavar="KEEP", help=help)
    help = "length of the first rung of halving, at least (1)"
    parser.add_argument("--least-epochs", type=whole(1), default=1, metavar="N", help=help)
    help = "k-fold cross-validation of every configuration; the test part takes no part"
    parser.add_argument("--folds", type=whole(2), default=0, metavar="K", help=help)
    parser.add_argument("--seeds", type=whole(1), default=0, metavar="N", help="every configuration with N seeds")
    help = "every configuration on N draws of the training part (see data.share): bias and variance"
    parser.add_argument("--draws", type=whole(1), default=0, metavar="N", help=help)
    parser.add_argument("--epochs", type=whole(1), metavar="N", help="epochs of a full run")
    _settings(parser, "a setting of every run, as for train")
    parser.add_argument("--budget", metavar="BUDGET", help="30s, 10m, 2h, 200epochs or 12runs, all sessions together")
    parser.add_argument("--around", type=Path, metavar="SEARCH", help="a finer search around the best of that one")
    parser.add_argument("--search-dir", type=Path, metavar="DIR", help="folder of this search: new or empty")
    help = "go on with a search that was stopped or killed, or whose budget was spent"
    parser.add_argument("--resume", type=Path, metavar="SEARCH", help=help)


def _runs(commands: Any) -> None:
    help = "compare runs: any column, differences of recipe, mean and spread over seeds, bias and variance"
    parser = _command(commands, "runs", help, "guiapp.cli.runs:run")
    help = "runs, searches or folders of them (all runs and searches of this program)"
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*", help=help)
    parser.add_argument("--columns", metavar="A,B", help="columns to show, such as optimiser.lr,validation.accuracy")
    parser.add_argument("--where", action="append", default=[], metavar="FILTER", help="words, or optimiser.lr<0.1")
    parser.add_argument("--sort", metavar="COLUMN", help="sort by a column, smallest first")
    parser.add_argument("--descending", action="store_true", help="sort with the largest first")
    help = "the runs; settings that differ; groups that differ in seed, fold or draw alone; bias and variance of these"
    parser.add_argument("--show", choices=("runs", "differences", "groups", "bias-variance"), default="runs", help=help)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as comma-separated values")


def _predict(commands: Any) -> None:
    help = "predict a picture, a folder of pictures or a video file"
    parser = _command(commands, "predict", help, "guiapp.cli.predict:run")
    target = f"{_TARGET}, or a published network such as ssdlite320"
    parser.add_argument("target", metavar="MODEL|RUN", help=target)
    parser.add_argument("input", metavar="INPUT", type=Path, help="a picture, a folder of pictures or a video file")
    help = "save with the prediction drawn on it: a picture, a folder for a folder, an .mp4 for a video"
    parser.add_argument("--out", type=Path, metavar="FILE|FOLDER", help=help)
    help = "of a published network: best, random, a published name or a weight file (best)"
    parser.add_argument("--weights", metavar="best|random|NAME|FILE", help=help)
    parser.add_argument("--score", type=float, metavar="S", help="least score of an object, 0 to 1 (0.5)")
    help = "of two objects of a class that overlap by more than this the worse is left out, 0 to 1 (0.5)"
    parser.add_argument("--iou", type=float, metavar="O", help=help)
    help = "most objects (100) or classes (all of a picture, 5 for folders and videos)"
    parser.add_argument("--top", type=whole(1), metavar="N", help=help)
    parser.add_argument("--device", choices=DEVICES, help="where the network runs (auto; networks trained here: cpu)")
    help = "take what is drawn on the picture as from the drawing pad (by default where it looks like a drawing)"
    parser.add_argument("--drawing", action=argparse.BooleanOptionalAction, help=help)
    add_votes(parser)


def _evaluate(commands: Any) -> None:
    parser = _command(commands, "evaluate", "measure a network on a part of a data set", "guiapp.cli.evaluate:run")
    parser.add_argument("target", metavar="RUN|MODEL", help=_TARGET)
    parser.add_argument("--dataset", metavar="NAME", help="another data set than the one it was trained on")
    help = "part of the data set (test; each look at it is counted in the run's run.json)"
    parser.add_argument("--split", choices=PARTS, default="test", help=help)
    help = "measure this class against all others together: name or index"
    parser.add_argument("--class", dest="class_name", metavar="C", help=help)
    help = "least probability of an answer, 0 to 1 (0: the most probable class; with --class 0.5)"
    parser.add_argument("--threshold", type=float, metavar="T", help=help)
    parser.add_argument(
        "--worst", type=whole(0), default=10, metavar="N", help="mistakes and doubtful labels named (10)"
    )
    add_votes(parser)


def _ensemble(commands: Any) -> None:
    help = "measure several runs alone and together, or the weights that one run kept at the ends of its cycles"
    parser = _command(commands, "ensemble", help, "guiapp.cli.ensemble:run")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="runs by their folders or names; or one with members")
    parser.add_argument("--last", type=whole(2), metavar="N", help="of one run: only the last N cycles")
    help = "part of the data set (validation; each look at test is counted in the run.json of every run)"
    parser.add_argument("--split", choices=PARTS, default="validation", help=help)


def _diagnose(commands: Any) -> None:
    help = "check an experiment before its run, or say what is wrong with a run"
    parser = _command(commands, "diagnose", help, "guiapp.cli.diagnose:run")
    parser.add_argument("target", metavar="RUN|EXPERIMENT", help="a run by its folder or name, or an experiment")
    _settings(parser, "a setting of the experiment, as for train")


def _probe(commands: Any) -> None:
    parser = _command(commands, "probe", "ask a network a question", "guiapp.cli.probe:run")
    parser.add_argument("probe", metavar="PROBE", help="see `guiapp list probes`")
    parser.add_argument("target", metavar="MODEL|RUN", help=f"{_TARGET}, or a published network such as resnet18")
    parser.add_argument("input", metavar="INPUT", type=Path, nargs="?", help="a picture, for probes that look at one")
    parser.add_argument("--layer", metavar="L", help="name of the layer, such as features.0")
    parser.add_argument("--class", dest="class_name", metavar="C", help="name or index of the class")
    _settings(parser, "an option of the probe")
    help = "of a published network: best, random, a published name or a weight file (best)"
    parser.add_argument("--weights", metavar="best|random|NAME|FILE", help=help)
    parser.add_argument("--device", choices=DEVICES, help="where a published network runs (cpu)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="save as .png, .csv or .json")


def _inspect(commands: Any) -> None:
    help = "say what a file with a network is, and keep how it is set up"
    parser = _command(commands, "inspect", help, "guiapp.cli.inspect:run")
    help = "weights (.safetensors, .pt, .pth, .th), TorchScript, a torch.export program (.pt2) or a Python file"
    parser.add_argument("file", metavar="FILE", help=help)
    _settings(parser, "architecture=resnet18, labels=cat,dog, activation=relu, pooling=max, height=64, mean=0.5, …")
    help = "let a Python file run from now on, as long as it stays the same: it can do anything that you can"
    parser.add_argument("--trust", action="store_true", help=help)
    parser.add_argument("--forget", action="store_true", help="forget what was set for this file before")


def _export(commands: Any) -> None:
    help = "write a network as safetensors, ONNX or a torch.export program, and check that it answers the same"
    parser = _command(commands, "export", help, "guiapp.cli.export:run")
    target = f"{_TARGET}, a published network, or a file of your own"
    parser.add_argument("target", metavar="MODEL|RUN|FILE", help=target)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="ends in .safetensors, .onnx or .pt2")
    help = "of a published network: best, random, a published name or a weight file (best)"
    parser.add_argument("--weights", metavar="best|random|NAME|FILE", help=help)


def _screenshot(commands: Any) -> None:
    parser = _command(commands, "screenshot", "draw the whole window without a display", "guiapp.cli.screenshot:run")
    parser.add_argument("experiment", metavar="EXPERIMENT", help="see `guiapp list experiments`")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the PNG goes")
    parser.add_argument("--train-steps", type=whole(0), default=0, metavar="N", help="train this many steps first (0)")
    _settings(parser, "a setting of the experiment, as for train")
    parser.add_argument("--layout", metavar="NAME", help="a named layout of the window")
    parser.add_argument("--theme", choices=("dark", "light"), help="colours (those of the system)")
    parser.add_argument("--size", type=size, default=(1600, 1000), metavar="WxH", help="pixels (1600x1000)")


def _bench(commands: Any) -> None:
    parser = _command(commands, "bench", "measure the program against a peer in the same run", "guiapp.cli.bench:run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; all of them")
    parser.add_argument("--quick", action="store_true", help="shorter: shows that it runs, not what it measures")
    parser.add_argument("--minutes", type=float, metavar="N", help="length of latency's long stretch (10)")
