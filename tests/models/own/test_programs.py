"""Programs: what runs code is refused before it is loaded; Python files are read before they are run."""

import json
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.own import programs
from guiapp.models.own.files import kind_of, read_weights

NET = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A TorchScript file, a torch.export program for any number of pictures of any size."""
    place = tmp_path_factory.mktemp("programs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(NET, torch.zeros(1, 3, 16, 16)), str(place / "net.pt"))
        sizes = {
            0: torch.export.Dim("b", min=1, max=64),
            2: torch.export.Dim("h", min=8),
            3: torch.export.Dim("w", min=8),
        }
        torch.export.save(
            torch.export.export(NET, (torch.zeros(2, 3, 16, 16),), dynamic_shapes=(sizes,)), str(place / "net.pt2")
        )
    return place


def changed(source, target, change):
    """A copy of an archive in which ``change(name, content)`` gives the new content."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    return target


def of_graph(edit):
    def change(name, content):
        if name.endswith("models/model.json"):
            found = json.loads(content)
            edit(found)
            return json.dumps(found).encode()
        return content

    return change


def test_kinds_by_what_is_inside(made, tmp_path):
    plain = tmp_path / "plain.pt"
    torch.save(NET.state_dict(), plain)
    renamed = tmp_path / "renamed.pth"
    renamed.write_bytes((made / "net.pt2").read_bytes())
    assert [kind_of(p) for p in (plain, made / "net.pt", made / "net.pt2", renamed)] == [
        "weights", "script", "program", "program",
    ]  # fmt: skip
    with pytest.raises(UserError, match="there is no file"):
        kind_of(tmp_path / "none.pt")


def test_programs_answer_as_the_network_and_keep_its_modules(made):
    picture = torch.randn(1, 3, 20, 24)
    script = programs.load_script(made / "net.pt")
    program, shape = programs.load_program(made / "net.pt2")
    with torch.no_grad():
        assert torch.equal(script(picture), NET(picture))
        torch.testing.assert_close(program(picture), NET(picture))
    assert shape == (0, 3, 0, 0) and {"0", "4"} <= {name for name, _ in program.named_modules()}
    assert not any(parameter.requires_grad for parameter in (*script.parameters(), *program.parameters()))


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_code_in_an_exported_program_never_runs(made, tmp_path):
    went_off = tmp_path / "went-off"
    bomb = pickle.dumps(Bomb(went_off))
    code = f"open({str(went_off)!r}, 'w')"

    def expression(found):
        text = json.dumps(found)
        start = text.index('"expr_str": "') + len('"expr_str": "')
        end = text.index('"', start)
        found.clear()
        found.update(json.loads(text[:start] + code + text[end:]))

    def call(target):
        return lambda found: found["graph_module"]["graph"]["nodes"][0].update(target=target)

    hostile = {
        "expression": of_graph(expression),
        "guard": of_graph(lambda found: found.update(guards_code=[f"__import__('os').system({code!r})"])),
        "sample inputs": lambda name, content: bomb if name.endswith("sample_inputs/model.pt") else content,
        **{name: of_graph(call(name)) for name in (
            "torch.hub.load", "torch.load", "torch.ops.aten.from_file.default", "torch.serialization.load",
            "_operator.attrgetter", "os.system",
        )},
    }  # fmt: skip

    def pickled(name, content):
        if name.endswith("weights_config.json"):
            return content.replace(b'"use_pickle": false', b'"use_pickle": true')
        return bomb if "/weights/weight_" in name else content

    for number, (what, change) in enumerate({**hostile, "weights": pickled}.items()):
        file = changed(made / "net.pt2", tmp_path / f"{number}.pt2", change)
        with pytest.raises(UserError) as told:
            programs.load_program(file)
        assert not went_off.exists(), what
        assert "\n" not in str(told.value) and "not opened" in str(told.value), what


def test_torchscript_that_touches_files_is_refused(made, tmp_path):
    def change(name, content):
        return content + b"\n  torch.save(x, 'here')\n" if "/code/" in name and name.endswith(".py") else content

    with pytest.raises(UserError, match=r"its code calls torch.save"):
        programs.load_script(changed(made / "net.pt", tmp_path / "bad.pt", change))


@pytest.mark.parametrize("name", ["net.pt", "net.pt2"])
def test_damaged_programs_give_one_line(made, tmp_path, name):
    whole = (made / name).read_bytes()
    for number, content in enumerate((b"", b"no archive", whole[: len(whole) // 2], whole[:-30])):
        file = tmp_path / f"{number}{name}"
        file.write_bytes(content)
        with pytest.raises(UserError) as told:
            programs.load_script(file) if name == "net.pt" else programs.load_program(file)
        assert "\n" not in str(told.value)


def test_pickles_that_run_code_are_not_read(tmp_path):
    went_off = tmp_path / "went-off"
    for number, content in enumerate(({"state_dict": Bomb(went_off)}, Bomb(went_off))):
        file = tmp_path / f"{number}.pth"
        torch.save(content, file)
        with pytest.raises(UserError, match="could run code"):
            read_weights(file)
    assert not went_off.exists()


def test_weights_are_found_under_their_usual_names_and_words_beside_them(tmp_path):
    state = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2)}
    for number, wrapped in enumerate(
        (
            state,
            {"state_dict": state, "epoch": 3},
            {"model": {"state_dict": state}},
            {"ema": state},
            {**state, "epoch": 3},
        )
    ):
        file = tmp_path / f"{number}.pth"
        torch.save(wrapped, file)
        found = read_weights(file)
        assert list(found.tensors) == ["a.weight", "a.bias"]
        assert found.about.get("epoch") == wrapped.get("epoch")
    import argparse

    rich = tmp_path / "rich.pth"
    torch.save(
        {"state_dict": state, "best": np.float64(0.9), "args": argparse.Namespace(lr=0.1), "h": np.ones(3)}, rich
    )
    assert list(read_weights(rich).tensors) == ["a.weight", "a.bias"]
    empty = tmp_path / "empty.pth"
    torch.save({"epoch": 3, "lr": [1, 2]}, empty)
    with pytest.raises(UserError, match="no weights by name"):
        read_weights(empty)


PYTHON = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
from torch import nn
def helper(x): return x
def build(classes=3): return nn.Linear(2, classes)
class Net(nn.Module):
    def __init__(self): super().__init__()
class Wide(nn.Module):
    def __init__(self, width): super().__init__()
def _hidden(): pass
"""


def test_functions_are_found_without_running_and_failures_are_one_line(tmp_path):
    file = tmp_path / "net.py"
    file.write_text(PYTHON)
    assert programs.functions_of(file) == ["build", "Net"] and not (tmp_path / "ran").exists()
    assert isinstance(programs.run_python(file, ""), nn.Linear) and (tmp_path / "ran").exists()
    for text, words in (
        ("def build(): return 3", "gives int, not a torch.nn.Module"), ("def build(: ", "no Python that can be read"),
        ("def build(): raise ValueError('no\\nway')", "build of net.py failed: ValueError: no way"),
        ("a = 1", "no function without arguments"), ("import sys\ndef build(): sys.exit(2)", "SystemExit: 2"),
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(UserError, match=words) as told:
            programs.run_python(file, "")
        assert "\n" not in str(told.value)
