"""Broken and hostile files: each is told in one line, runs nothing, and takes neither memory nor the terminal."""

import sys
import threading
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from guiapp.core.notices import UserError
from guiapp.engine.open_own import examine
from guiapp.models.finite import flaws, without_numbers
from guiapp.models.lenet import LeNet5
from guiapp.models.own.running import called


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return LeNet5(1, 32, 32, 10).state_dict()


def saved(path, found):
    torch.save(found, path)
    return path


def test_tensors_that_no_network_here_can_take_are_named(tmp_path, state):
    wide = {"a.weight": torch.zeros(1).expand(2**20, 2**20)}
    for name, found, words in (
        ("complex", {k: v.to(torch.complex64) for k, v in state.items()}, "complex"),
        ("meta", {k: v.to("meta") for k, v in state.items()}, "shapes without values"),
        ("wide", wide, "GB of memory"),
        ("list", [1, 2, 3], "no weights by name"),
        ("numbered", dict(enumerate(state.values())), "no weights by name"),
    ):
        reason = examine(saved(tmp_path / f"{name}.pt", found)).reason
        assert words in reason and "\n" not in reason


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("guiapp.models.zoo.weights._SMALL", 1_000_000)
    for ending, member in ((".pt", "a/data.pkl"), (".pt2", "m/models/model.json"), (".torchscript", "m/code/x.py")):
        path = tmp_path / f"bomb{ending}"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, bytes(3_000_000))
        assert "unpack to 3 MB" in examine(path).reason


def test_what_a_file_says_of_its_own_network_is_not_believed_blindly(tmp_path, state):
    for said in ('"x"', '{"size": [1, 1000000000, 1000000000], "mean": [0], "std": [1]}', '{"size": 3}', "[]"):
        path = tmp_path / "said.safetensors"
        about = f'{{"model": "lenet5", "preprocessing": {said}, "classes": ["a"]}}'
        save_file(state, path, {"guiapp": about})
        assert "damaged" in examine(path).reason


def test_a_folder_and_a_file_that_may_not_be_read_are_told_as_such(tmp_path, state, monkeypatch):
    with pytest.raises(UserError, match="is a folder"):
        examine(tmp_path)
    path = saved(tmp_path / "a.pt", state)

    def refuse(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torch, "load", refuse)
    assert "cannot be read: Permission denied" in examine(path).reason


class TwoInputs(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


class Unwilling(nn.Module):
    def forward(self, a: torch.Tensor) -> torch.Tensor:
        if a.sum() < 1e9:
            raise ValueError("I do not want")
        return a


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning", "ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("network", "words"), [(TwoInputs(), "takes several inputs"), (Unwilling(), "(ValueError: I do not want)")]
)
def test_a_program_that_takes_no_picture_says_why_in_its_own_words(tmp_path, network, words):
    path = tmp_path / "net.torchscript"
    torch.jit.save(torch.jit.script(network), path)
    assert words in examine(path).reason


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("input('Your name? ')", "asks for input"),
        ("import sys; sys.stdin.readline().encode().decode() or 1 / 0", "ZeroDivisionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Own(BaseException): pass\n    raise Own", "Own"),
        ("class Own(Exception):\n        def __str__(self): raise ValueError\n    raise Own", "failed: Own"),
        ("import torch; return torch.nn.LazyLinear(3)", "not ready to run"),
        ("import torch; return torch.nn.Linear", "gives type"),
    ],
)
def test_python_that_fails_in_any_way_ends_in_one_line(tmp_path, body, words):
    path = tmp_path / "net.py"
    path.write_text(f"def build():\n    print('hello')\n    {body}\n")
    keyboard, found, folders = sys.stdin, [], list(sys.path)
    lane = threading.Thread(target=lambda: found.append(examine(path, trusted=True)))
    lane.start()
    lane.join(60)
    assert words in found[0].reason and "\n" not in found[0].reason
    assert sys.stdin is keyboard and sys.path == folders


def test_what_a_python_file_prints_stays_out_of_the_output(tmp_path, capsys):
    path = tmp_path / "net.py"
    path.write_text("def build():\n    print('loud')\n    return 5\n")
    assert called(path, "build", ["build"]) == 5
    out, err = capsys.readouterr()
    assert "loud" not in out and "loud" in err


def test_weights_that_are_no_numbers_are_counted_by_name_and_the_network_opens(tmp_path, state):
    broken = {name: value.clone() for name, value in state.items()}
    broken["conv1.weight"].view(-1)[:5] = float("nan")
    broken["output.bias" if "output.bias" in broken else list(broken)[-1]].view(-1)[0] = float("-inf")
    found = examine(saved(tmp_path / "nan.pt", broken))
    assert found.opened is not None and not found.reason
    assert found.opened.flaws.startswith("2 of 10 tensors hold values that are NaN or infinite (conv1.weight 5 of 150,")
    assert found.opened.flaws in found.opened.note
    assert not examine(saved(tmp_path / "good.pt", state)).opened.flaws


def test_large_sums_are_no_flaw_and_names_beyond_three_are_counted():
    large = nn.Linear(1000, 1000)
    with torch.no_grad():
        large.weight.fill_(3e38)
    assert not flaws(large)
    several = nn.Sequential(*(nn.Linear(1, 1) for _ in range(3)))
    with torch.no_grad():
        for parameter in several.parameters():
            parameter.fill_(float("inf"))
    assert flaws(several).startswith("6 of 6 tensors") and "and 3 more" in flaws(several)


def test_scores_of_nothing_are_answers_and_nan_is_none():
    assert not without_numbers(torch.tensor([1.0, float("-inf")])) and not without_numbers(torch.arange(3))
    assert without_numbers([torch.zeros(2), torch.tensor([0.0, float("nan")])])
