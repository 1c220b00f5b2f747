"""The wheel carries everything and works where the source is not."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_wheel_carries_every_file_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files", "guiapp"], capture_output=True, text=True, cwd=ROOT, check=False)
    files = tracked.stdout.split() if tracked.returncode == 0 else []
    wanted = [name for name in files if (ROOT / name).is_file()]
    assert wanted, "this test needs a git checkout"
    assert not [name for name in wanted if name not in inside]
    assert any(name.startswith("guiapp/resources/icons/") for name in inside)
    assert not [name for name in inside if name.endswith(".pyc")]


def test_wheel_works_in_an_environment_of_its_own(wheel, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = environment / scripts / "python"
    own = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(own)
    # The dependencies are those of this environment; the program itself comes from the wheel.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    code = (
        "import guiapp, guiapp.cli, guiapp.core.paths as paths\n"
        "print(guiapp.__file__)\n"
        "assert (paths.resources() / 'icons').is_dir()\n"
        "guiapp.cli.main(['list', 'experiments'])"
    )
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=clean, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[0]).is_relative_to(own)
    assert "lenet5" in done.stdout


def test_console_command_is_declared(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "guiapp = guiapp.__main__:main" in archive.read(name).decode()


def test_no_package_host_is_named():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split()
    named = [
        name
        for name in tracked
        if Path(name).suffix in (".toml", ".sh", ".cfg", ".txt", "") and (ROOT / name).is_file()
        if any(word in (ROOT / name).read_text() for word in ("index-url", "find-links", "pypi.org"))
    ]
    assert not named
