"""Tables on a terminal: columns stand below each other whatever is written in them."""

import unicodedata

from guiapp.cli.output import give_table


def test_columns_stand_below_each_other_with_wide_letters_and_marks(capsys):
    decomposed = unicodedata.normalize("NFD", "Kätzchen")
    names = ["猫と犬", "dog", "Kätzchen", decomposed]
    give_table([{"name": name, "n": 1.5} for name in names], ["name", "n"])
    lines = capsys.readouterr().out.splitlines()
    wide = {"猫と犬": 6, "dog": 3, "Kätzchen": 8, decomposed: 8, "name": 4}
    for name, line in zip(["name", *names], lines, strict=True):
        number = "n" if name == "name" else "1.5"
        assert line == name + " " * (8 - wide[name] + 2) + number.rjust(3)
