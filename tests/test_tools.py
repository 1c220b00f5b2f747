"""The scripts that set the program up, with a pretended system around them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system libraries are installed on Linux")
EVERY = ("libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1", "libglib-2.0.so.0",
         "libX11.so.6")  # fmt: skip


def system(folder, **commands):
    """An environment in which these commands do what their text says; apt-get writes down how it was called."""
    tools = {
        "ldconfig": "exit 0",
        "id": "echo 1000",
        "sudo": "exit 1",
        "apt-get": f'echo "$@" >> {folder}/apt',
        **commands,
    }
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, text in tools.items():
        script = bin_folder / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    return {"PATH": f"{bin_folder}:{os.environ['PATH']}", "HOME": str(folder)}


def libraries(env):
    return subprocess.run(
        [ROOT / "tools" / "system-libraries.sh"], env=env, capture_output=True, text=True, check=False
    )


def test_nothing_is_done_where_everything_is_there(tmp_path):
    table = (ROOT / "tools" / "system-libraries.sh").read_text()
    names = [line.split()[0] for line in table.splitlines() if line.startswith("lib")]
    fonts = tmp_path / ".fonts"
    fonts.mkdir()
    (fonts / "one.ttf").touch()
    done = libraries(system(tmp_path, ldconfig="echo " + " ".join(names)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "apt").exists()


def test_without_rights_one_line_names_what_to_install(tmp_path):
    done = libraries(system(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "sudo apt-get install" in line
    assert "libegl1" in line
    assert "libxcb-cursor0" in line
    assert not (tmp_path / "apt").exists()


def test_libraries_of_x11_alone_are_a_warning(tmp_path):
    (tmp_path / ".fonts").mkdir()
    (tmp_path / ".fonts" / "one.otf").touch()
    done = libraries(system(tmp_path, ldconfig="echo " + " ".join(EVERY)))
    assert done.returncode == 0
    assert "libxcb-cursor0" in done.stderr
    assert "libegl1" not in done.stderr


def test_root_installs_what_is_missing(tmp_path):
    done = libraries(system(tmp_path, id="echo 0"))
    called = (tmp_path / "apt").read_text()
    assert "update" in called
    assert "libegl1" in called
    assert done.returncode == 1  # the pretended apt-get installed nothing, and that is noticed


def test_an_old_python_is_refused_in_one_line(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "environment.sh", tmp_path / "tools")
    old = dict.fromkeys(("python3", *(f"python3.{minor}" for minor in range(11, 15))), "exit 1")
    done = subprocess.run(
        [tmp_path / "tools" / "environment.sh", ".venv"],
        env=system(tmp_path, **old), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "Python 3.11 or newer" in line
