"""The command line in this process, and weights that lie where the program looks for them."""

import json
from types import SimpleNamespace

import pytest

from guiapp.cli import main


@pytest.fixture
def guiapp(capsys):
    """Run a command: ``code``, what it wrote as ``out`` and ``err``, and ``json`` where that is all of the output."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        found = json.loads(out) if "--json" in words and code == 0 else None
        return SimpleNamespace(code=code, out=out, err=err, json=found)

    return call


@pytest.fixture
def no_network(monkeypatch):
    """Every connection fails at once, as without a network."""
    import urllib.request

    def refuse(*_, **__):
        raise urllib.error.URLError("Network is unreachable")

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", refuse)


@pytest.fixture
def given_data(real_data, monkeypatch):
    """The real data, found by the program too."""
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    return real_data
