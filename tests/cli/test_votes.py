"""``--views``: what a vote says, through the command line, and what is refused."""

import json

import pytest

from guiapp.cli import main


@pytest.fixture
def ask(capsys):
    def ask(*words):
        code = main([*words, "--json"])
        out = capsys.readouterr()
        return code, json.loads(out.out.splitlines()[-1]) if out.out.strip() else None, out.err

    return ask


def test_evaluation_by_vote_says_how(ask):
    plain = ask("evaluate", "lenet5", "--dataset", "digits")[1]
    voted = ask("evaluate", "lenet5", "--dataset", "digits", "--views", "crops", "--rule", "mean")[1]
    assert voted["voting"] == {"views": "crops", "count": 5, "rule": "mean"} and "voting" not in plain
    assert voted["count"] == plain["count"] and voted["loss"] != plain["loss"]


def test_what_makes_no_sense_is_refused(ask):
    for words, said in (
        (("--rule", "mean"), "add --views"),
        (("--views", "flip", "--draws", "3"), "goes with --views draws"),
        (("--views", "draws"), "there is none"),
    ):
        code, _, err = ask("evaluate", "lenet5", *words)
        assert code == 2 and said in err
