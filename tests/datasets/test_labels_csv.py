"""Tables of labels: columns, parts, missing and broken files, what is wrong with a line."""

import pytest
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.datasets import open_dataset
from guiapp.datasets.base import PARTS
from guiapp.datasets.check import check
from guiapp.datasets.labels_csv import list_csv


@pytest.fixture
def table(tmp_path):
    """Forty pictures in one folder: number n has the red channel n; writes tables beside them."""
    (tmp_path / "photos").mkdir()
    for n in range(40):
        Image.new("RGB", (20, 16), (n, 10, 20)).save(tmp_path / "photos" / f"{n}.png")

    def write(text, name="labels.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return write


def lines(count=40, form="photos/{n}.png,{c}"):
    return "\n".join(form.format(n=n, c="cat" if n % 4 else "dog", half=n // 2) for n in range(count))


def test_a_table_with_headings_in_any_order(table):
    found = open_dataset(table("species;notes;image\n" + lines(form="{c};fine;photos/{n}.png")))
    assert found.classes == ("cat", "dog")
    assert sum(len(found.part(part)) for part in PARTS) == 40
    for part in PARTS:
        samples = found.part(part)
        for image, label in zip(samples.images, samples.labels, strict=True):
            assert found.classes[label] == ("cat" if image[0, 0, 0] % 4 else "dog")


def test_without_headings_and_endings_and_with_a_mark_of_byte_order(table):
    found = list_csv(table("\ufeff" + lines(form="photos/{n},{c}")))
    assert found.files[:2] == ("photos/0.png", "photos/1.png")
    assert found.labels[:5] == (1, 0, 0, 0, 1)


def test_parts_of_the_table_are_kept(table):
    parts = {0: "train", 1: "val", 2: "test"}
    rows = "\n".join(f"photos/{n}.png,{'a' if n % 2 else 'b'},{parts[n % 3]}" for n in range(40))
    found = open_dataset(table("file,label,split\n" + rows))
    assert [len(found.part(part)) for part in PARTS] == [14, 13, 13]
    assert sorted(found.test.images[:, 0, 0, 0].tolist()) == [n for n in range(40) if n % 3 == 2]


def test_missing_and_broken_files_are_named_and_the_rest_opens(table, tmp_path):
    (tmp_path / "photos" / "7.png").write_bytes(b"not a picture")
    found = open_dataset(table(lines() + "\nphotos/lost.png,cat"))
    assert sum(len(found.part(part)) for part in PARTS) == 39
    assert sorted(name.split(":")[0].split(" ")[0].rsplit("/")[-1] for name in found.unreadable) == [
        "7.png",
        "lost.png",
    ]


def test_unbalanced_classes_are_said(table):
    rows = "\n".join(f"photos/{n}.png,{'rare' if n < 5 else 'common'}" for n in range(40))
    warnings = check(open_dataset(table(rows))).warnings
    assert any("unbalanced" in warning and "rare" in warning for warning in warnings)


def test_another_label_makes_other_samples_though_no_picture_changed(table):
    first = open_dataset(table(lines()))
    second = open_dataset(table(lines().replace("photos/1.png,cat", "photos/1.png,dog")))
    counts = [sum((found.part(part).labels == 1).sum() for part in PARTS) for found in (first, second)]
    assert counts == [10, 11]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("photos/1.png\n", "two columns"),
        ("photos/1.png,cat\nphotos/2.png,\n", "line 2"),
        ("photos/1.png,cat\nphotos/1.png,dog\n", "line 2.*twice, as cat and dog"),
        ("photos/1.png,cat\nphotos/2.png,cat\n", "one class"),
        ("file,label,split\nphotos/1.png,cat,train\nphotos/2.png,dog,later\n", "line 3.*later"),
        ("file,label,split\nphotos/1.png,cat,test\nphotos/2.png,dog,test\n", "none of them is train"),
        ("file,label,split\nphotos/1.png,cat,train\nphotos/2.png,dog,\n", "no part"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(table, text, words):
    with pytest.raises(UserError, match=words):
        list_csv(table(text))
