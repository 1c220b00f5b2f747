"""The worked examples of CONTRIBUTING.md, put into a copy of the program and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(?:python|markdown)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"(?:# |<!-- )(new file:|at the end of|in (\w+) of) (\S+?)(?: -->)?$")


def apply(block: str, folder: Path) -> Path:
    """Put one block where its first line says."""
    place, content = block.split("\n", 1)
    found = PLACE.match(place)
    assert found, f"the first line of a block says where it goes, not {place!r}"
    path = folder / found.group(3)
    if found.group(1) == "new file:":
        assert not path.exists(), f"{path} is there already"
        path.write_text(content)
    elif found.group(2):
        text = path.read_text()
        (opening,) = re.findall(rf"^{found.group(2)}\b.*\($", text, re.MULTILINE)
        path.write_text(text.replace(opening, f"{opening}\n{content.rstrip()}", 1))
    else:
        path.write_text(f"{path.read_text()}\n\n{content}")
    return path


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A copy of the program with every example in it."""
    folder = tmp_path_factory.mktemp("contributing")
    shutil.copytree(ROOT / "guiapp", folder / "guiapp", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    changed = [apply(block, folder) for block in blocks]
    assert len(changed) >= 12
    return folder


def run(program, *words, **environment):
    """Run Python in the copy, with the user's folder beside it."""
    path = os.pathsep.join(filter(None, (str(program), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path, "GUIAPP_HOME": str(program / "home"), **environment}
    done = subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, cwd=program, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_data_set_network_task_and_experiment_train(program):
    out = run(program, "-m", "guiapp", "train", "stripes", "--run-dir", program / "run", "--json")
    summary = json.loads(out)
    assert summary["experiment"] == "stripes"
    assert summary["parameters"] == 4 * 25 + 4 + 4 * 2 + 2
    assert summary["test"]["accuracy"] > 0.9
    record = json.loads((program / "run" / "run.json").read_text())
    assert (record["model"], record["dataset"], record["task"]) == ("edge-counter", "stripes", "margin")


def test_lists_name_them_and_load_no_torch(program):
    code = (
        "import sys\nfrom guiapp.cli import main\n"
        "for what in ('experiments', 'models', 'datasets', 'probes'):\n"
        "    main(['list', what])\n"
        "assert 'torch' not in sys.modules"
    )
    out = run(program, "-c", code)
    assert all(name in out for name in ("stripes", "edge-counter", "winners"))


def test_probe_answers(program):
    run(program, "-m", "guiapp", "train", "stripes", "--run-dir", program / "probed", "--epochs", "1")
    waves = np.uint8(127 + 120 * np.sin(np.arange(12) * 1.5))
    Image.fromarray(np.repeat(waves[:, None], 12, axis=1)).save(program / "waves.png")
    words = ("probe", "winners", program / "probed", "waves.png", "--set", "count=2", "--json")
    result = json.loads(run(program, "-m", "guiapp", *words))["result"]
    assert result["layer"] == "conv"
    assert len(result["channels"]) == 2
    assert result["responses"] == sorted(result["responses"], reverse=True)


@pytest.mark.window
def test_panel_shows_the_answer(program):
    code = (
        "from guiapp.drive import Driver, apart\n"
        "with apart():\n"
        "    driver = Driver('stripes')\n"
        "    driver.window.show_panel('winners')\n"
        "    label = driver.window.docks['winners'].findChild(object, 'winners.label')\n"
        "    driver.wait(lambda: label.text().startswith('conv: '), 60, 'the winners')\n"
        "    print(label.text())\n"
        "    driver.close()\n"
    )
    out = run(program, "-c", code, QT_QPA_PLATFORM="offscreen")
    assert re.fullmatch(r"conv: \d: -?\d+\.\d\d(, \d: -?\d+\.\d\d){2}\n", out)
