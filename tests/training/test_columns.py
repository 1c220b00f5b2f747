"""Columns: what is on disk, what a plot gets, what survives."""

import time

import numpy as np
import pytest

from guiapp.training.columns import Columns

NAMES = ("loss", "lr")


def fill(columns, values, block=7):
    values = np.asarray(values, np.float32)
    for start in range(0, len(values), block):
        part = values[start : start + block]
        columns.append({"loss": part, "lr": part * 2})


def test_files_hold_plain_float32(tmp_path):
    columns = Columns(NAMES, tmp_path / "steps")
    fill(columns, [1, 2.5, 3])
    assert np.fromfile(tmp_path / "steps" / "loss.f32", "<f4").tolist() == [1, 2.5, 3]
    assert np.fromfile(tmp_path / "steps" / "lr.f32", "<f4").tolist() == [2, 5, 6]
    columns.close()
    again = Columns(NAMES, tmp_path / "steps", read_only=True)
    assert again.view("loss").tolist() == [1, 2.5, 3] and len(again) == 3


def test_a_view_does_not_change_when_more_comes():
    columns = Columns(NAMES)
    fill(columns, range(1000))
    view = columns.view("loss")
    fill(columns, range(5000))
    assert len(view) == 1000 and view[-1] == 999
    columns.truncate(10)
    fill(columns, [-1] * 50)
    assert view[20] == 20


def test_a_torn_last_record_is_left_out_and_overwritten(tmp_path):
    columns = Columns(NAMES, tmp_path)
    fill(columns, range(10))
    columns.close()
    with (tmp_path / "loss.f32").open("ab") as stream:
        stream.write(np.float32(10).tobytes() + b"\x01\x02")  # one value that lr lacks, and half of another
    columns = Columns(NAMES, tmp_path)
    assert len(columns) == 10
    fill(columns, [77])
    columns.close()
    assert Columns(NAMES, tmp_path, read_only=True).view("loss")[-1] == 77
    assert (tmp_path / "loss.f32").stat().st_size == (tmp_path / "lr.f32").stat().st_size == 44


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 256, 257, 5000, 70_001])
@pytest.mark.parametrize("points", [1, 7, 100, 2000])
def test_a_window_shows_every_peak_and_stays_within_its_steps(count, points):
    values = np.random.default_rng(count).normal(size=count).astype(np.float32)
    columns = Columns(NAMES)
    fill(columns, values, block=333)
    for first, last in ((1, count), (count // 3 + 1, 2 * count // 3), (count, count), (1, 10 * count + 5)):
        steps, low, high = columns.window("loss", first, last, points)
        inside = values[first - 1 : last]
        assert len(steps) == len(low) == len(high)
        assert len(steps) <= max(2 * points, 1) + 2
        if len(inside) == 0:
            continue
        assert steps.min() >= 1 and steps.max() <= count and (np.diff(steps) > 0).all()
        # Groups are cut at multiples of 16^k: they may reach a little beyond the window, never fall short of it.
        assert low.min() <= inside.min() and high.max() >= inside.max()
        assert (low <= high).all()
        if len(inside) <= points:
            assert low.tolist() == high.tolist() == inside.tolist()
            assert steps.tolist() == list(range(first, first + len(inside)))


def test_the_whole_range_has_the_exact_extremes():
    values = np.zeros(100_003, np.float32)
    values[[5, 50_000, 100_002]] = 9, -9, 11
    columns = Columns(NAMES)
    fill(columns, values, block=1000)
    _, low, high = columns.window("loss", 1, 100_003, 50)
    assert low.min() == -9 and high.max() == 11 and (high == 9).sum() == 1


def test_nan_leaves_the_rest_of_its_group_visible():
    columns = Columns(NAMES)
    fill(columns, [1.0] * 16 + [np.nan] * 8 + [3.0] * 8 + [np.nan] * 16)
    _, low, high = columns.window("loss", 1, 48, 3)
    assert low[:2].tolist() == [1, 3] and high[1] == 3 and np.isnan(low[2])


def test_truncate_cuts_memory_files_and_pyramid(tmp_path):
    columns = Columns(NAMES, tmp_path)
    fill(columns, np.r_[np.zeros(600), np.full(400, 50)])
    columns.truncate(600)
    fill(columns, np.full(100, 2))
    _, low, high = columns.window("loss", 1, 700, 5)
    assert high.max() == 2 and low.min() == 0 and len(columns) == 700
    columns.close()
    assert np.fromfile(tmp_path / "loss.f32", "<f4").tolist() == [0] * 600 + [2] * 100


def test_truncate_fills_what_a_power_cut_took(tmp_path):
    columns = Columns(NAMES, tmp_path)
    fill(columns, [1, 2])
    columns.truncate(4)
    assert len(columns) == 4 and np.isnan(columns.view("loss")[2:]).all()
    assert (tmp_path / "lr.f32").stat().st_size == 16
    columns.close()


def test_a_reader_follows_another_writer(tmp_path):
    writer, reader = Columns(NAMES, tmp_path), Columns(NAMES, tmp_path, read_only=True)
    fill(writer, range(100))
    assert reader.refresh() == 100 and reader.view("lr")[-1] == 198
    writer.truncate(50)
    assert reader.refresh() == 50
    writer.close()


def test_blocks_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="different lengths"):
        Columns(NAMES).append({"loss": [1, 2], "lr": [1]})


def test_a_million_steps_open_at_once(tmp_path):
    values = np.random.default_rng(0).random(1_000_000, np.float32)
    for name in NAMES:
        values.tofile(tmp_path / f"{name}.f32")
    start = time.perf_counter()
    columns = Columns(NAMES, tmp_path, read_only=True)
    _, _, high = columns.window("loss", 1, 1_000_000, 1000)
    assert time.perf_counter() - start < 5  # 0.02 s when measured; a loop over records takes far longer
    assert high.max() == values.max()
