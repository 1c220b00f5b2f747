"""The engine on real digits: it opens, trains, looks, goes back in time, survives failures, and changes nothing."""

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

import guiapp
from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import NoticeBoard
from guiapp.core.picture import Origin, Picture, rgb
from guiapp.engine import learn
from guiapp.engine.engine import Engine
from guiapp.engine.evaluate import evaluate
from guiapp.engine.state import Request
from guiapp.interpret import PROBES
from guiapp.training import watched
from guiapp.training.load import load_run
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.setup import prepare


@pytest.fixture
def engine(home):
    """An engine whose lanes are gone after the test."""
    made = Engine(NoticeBoard())
    yield made
    made.shutdown(30)
    left = [t.name for t in threading.enumerate() if t.name in ("learn", "look") or t.name.startswith("work-")]
    assert not left, f"lanes left: {left}"


def until(condition, seconds=60.0):
    """Wait for a condition that another thread makes true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


def opened(engine, name="lenet5", settings=None):
    before = engine.newest_state.opened
    engine.open_experiment(name, settings)
    until(lambda: engine.newest_state.phase == "failed" or engine.newest_state.opened not in (None, before))
    assert engine.newest_state.phase == "ready", [n.text for n in engine.notices.notices]
    return engine.newest_state.opened


def trained(engine, steps):
    engine.start(until=steps)
    until(lambda: engine.newest_state.phase == "paused" and engine.newest_state.step == steps)


def looked(engine, condition=lambda look: True):
    found = []

    def check():
        look = engine.looked.take()
        if look is not None and condition(look):
            found.append(look)
        return bool(found)

    until(check)
    return found[-1]


def test_nothing_runs_before_there_is_something_to_do(engine):
    engine.set_requests({}, watching=True)
    engine.set_picture(None)
    assert engine.newest_state.phase == "empty"
    assert not [t for t in threading.enumerate() if t.name in ("learn", "look")]


def test_training_with_everything_watched_gives_the_weights_of_the_run_without_a_window(engine, home):
    steps = 60
    setup = prepare(EXPERIMENTS["lenet5"], {"epochs": 4, "threads": 2})
    runner = Runner(setup, RunFolder.create(home / "alone", setup))
    subject = opened(engine, settings={"epochs": 4, "threads": 2})
    for _ in runner.events():
        if runner.trainer.step == steps:
            break
    alone = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.close()

    engine.set_picture(subject.dataset.picture("validation", 0))
    engine.set_requests({"filters": Request("filters"), "activations": Request("activations")}, watching=True)
    engine.set_switched_off({"conv1": frozenset({0})})
    engine._look.rate = 1000.0
    engine.start(until=20)
    looked(engine)
    until(lambda: engine.newest_state.phase == "paused")
    engine.set_step(3)
    engine.predict_many(subject.dataset.validation.images[:100]).wait(30)
    torch.randn(1000)  # somebody draws from the global generator
    engine.start(until=steps)
    until(lambda: engine.newest_state.phase == "paused" and engine.newest_state.step == steps)
    watched = engine._learn._session.runner.model.state_dict()
    assert set(watched) == set(alone)
    assert all(torch.equal(watched[name], alone[name]) for name in alone)


def test_looks_follow_the_newest_weights_and_the_newest_picture(engine):
    subject = opened(engine)
    first = subject.dataset.picture("validation", 0)
    engine.set_requests({"activations": Request("activations")}, watching=True)
    engine.set_picture(first)
    look = looked(engine, lambda look: look.picture is first)
    assert look.step == 0
    assert look.live
    assert look.prediction.probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert set(look.results) == {"activations"}
    trained(engine, 30)
    after = looked(engine, lambda look: look.step == 30)
    assert not np.array_equal(after.prediction.probabilities, look.prediction.probabilities)
    second = subject.dataset.picture("validation", 1)
    engine.set_picture(second)
    assert looked(engine, lambda look: look.picture is second).step == 30


def test_a_picture_file_is_fed_the_way_that_the_open_data_set_takes_it(engine, tmp_path):
    canvas = np.zeros((200, 200), np.uint8)
    canvas[30:170, 90:110] = 255
    page = Picture(rgb(255 - canvas), Origin("file", "page.png"))
    digits = opened(engine)
    engine.set_requests({}, watching=True)
    engine.set_picture(page)
    look = looked(engine, lambda look: look.picture is page)
    assert look.read_as == "drawing"
    np.testing.assert_array_equal(look.fed, digits.dataset.from_drawing(canvas))
    for number in range(20):
        for name in "ab":
            (tmp_path / "scenes" / name).mkdir(parents=True, exist_ok=True)
            shade = np.full((32, 32, 3), number * 10, np.uint8)
            Image.fromarray(shade).save(tmp_path / "scenes" / name / f"{number}.png")
    engine.open_experiment("lenet5", {"dataset": str(tmp_path / "scenes")})
    look = looked(engine, lambda look: look.opened is not digits)
    assert look.read_as == "picture" and look.fed is page.pixels


def test_no_look_for_a_window_that_shows_nothing(engine):
    subject = opened(engine)
    engine.set_picture(subject.dataset.picture("validation", 0))
    trained(engine, 10)
    assert engine.looked.take() is None


def test_the_time_machine_shows_earlier_weights_and_comes_back(engine):
    subject = opened(engine)
    engine.set_requests({}, watching=True)
    engine.set_picture(subject.dataset.picture("validation", 0))
    start = looked(engine)
    trained(engine, 40)
    newest = looked(engine, lambda look: look.step == 40)
    engine.set_step(0)
    back = looked(engine, lambda look: look.step == 0)
    assert not back.live
    assert np.array_equal(back.prediction.logits, start.prediction.logits)
    engine.set_step(None)
    again = looked(engine, lambda look: look.live)
    assert np.array_equal(again.prediction.logits, newest.prediction.logits)
    assert {0, 1, 2} <= set(engine.newest_state.snapshot_steps)


def test_switching_a_channel_off_changes_the_prediction_and_not_the_network(engine):
    subject = opened(engine)
    engine.set_requests({}, watching=True)
    engine.set_picture(subject.dataset.picture("validation", 0))
    plain = looked(engine)
    engine.set_switched_off({"conv3": frozenset(range(60))})
    changed = looked(engine, lambda look: look.modified)
    assert not np.array_equal(changed.prediction.logits, plain.prediction.logits)
    assert np.array_equal(changed.plain.logits, plain.prediction.logits)
    engine.set_switched_off({})
    restored = looked(engine, lambda look: not look.modified)
    assert np.array_equal(restored.prediction.logits, plain.prediction.logits)


def test_an_evaluation_scores_the_average_that_the_run_validates(engine):
    opened(engine, "mlp", {"epochs": 2, "average": "polyak", "average.rho": 0.98, "optimiser.lr": 0.3})
    engine.start()
    until(lambda: engine.newest_state.phase == "finished")
    job = engine.study(lambda study: evaluate(study, "validation"))
    assert job.wait(30) and job.result is not None and job.result.averaged
    row = engine.newest_state.epoch_rows[-1]["validation"]
    assert job.result.report.scores.right.mean() == pytest.approx(row["accuracy"])
    assert job.result.report.scores.loss == pytest.approx(row["loss"], rel=1e-4)


def test_step_epoch_stop_and_a_new_run(engine):
    opened(engine, settings={"epochs": 3})
    engine.step()
    until(lambda: engine.newest_state.step == 1 and engine.newest_state.phase == "paused")
    engine.step()
    until(lambda: engine.newest_state.step == 2 and engine.newest_state.phase == "paused")
    assert engine.newest_state.initial_loss == pytest.approx(np.log(10), rel=0.1)
    engine.epoch()
    until(lambda: len(engine.newest_state.epoch_rows) == 1 and engine.newest_state.phase == "paused")
    first = engine.newest_state.run
    engine.stop()
    until(lambda: engine.newest_state.phase == "finished")
    engine.start()
    until(lambda: engine.newest_state.phase == "finished" and engine.newest_state.run != first)
    assert len(engine.newest_state.epoch_rows) == 3
    assert first.is_dir()


def test_the_learning_rate_by_hand_holds_from_the_next_step(engine):
    opened(engine, settings={"schedule": "constant"})
    trained(engine, 5)
    engine.set_learning_rate(0.001)
    trained(engine, 8)
    rates = engine.newest_state.columns.view("lr")
    assert rates[4] != pytest.approx(0.001)
    assert rates[5:8] == pytest.approx(0.001)
    assert [(e["step"], e["value"]) for e in engine.newest_state.events] == [(5, 0.001)]


def test_closing_in_mid_training_leaves_a_run_that_goes_on_bit_for_bit(home):
    engine = Engine(NoticeBoard())
    opened(engine, settings={"epochs": 2, "threads": 1})
    trained(engine, 17)
    folder = engine.newest_state.run
    engine.shutdown(30)

    again = Engine(NoticeBoard())
    again.open_run(folder)
    until(lambda: again.newest_state.phase == "paused")
    assert again.newest_state.step == 17
    again.start()
    until(lambda: again.newest_state.phase == "finished")
    total = again.newest_state.step
    again.shutdown(30)

    setup = prepare(EXPERIMENTS["lenet5"], {"epochs": 2, "threads": 1})
    runner = Runner(setup, RunFolder.create(home / "alone", setup))
    for _ in runner.events():
        pass
    runner.finish()
    _, resumed = load_run(folder)
    _, alone = load_run(runner.folder.path)
    assert total == runner.trainer.step
    assert all(
        torch.equal(a, b) for a, b in zip(resumed.state_dict().values(), alone.state_dict().values(), strict=True)
    )


def test_failures_reach_the_person_once_and_the_lanes_live_on(engine):
    engine.open_experiment("no-such-thing")
    until(lambda: engine.notices.notices)
    assert "no-such-thing" in engine.notices.notices[0].text
    engine.open_experiment("lenet5", {"optimiser.lr": "fast"})
    until(lambda: len(engine.notices.notices) == 2)
    assert "optimiser.lr" in engine.notices.notices[1].text
    opened(engine)


def test_a_diverging_run_stops_at_its_last_good_weights(engine):
    opened(engine)
    trained(engine, 6)
    model = engine._learn._session.runner.model
    with torch.no_grad():
        model.conv2.weight[0] = float("nan")
    engine.start()
    until(lambda: engine.newest_state.phase == "failed")
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert "step" in engine.notices.notices[-1].text
    engine.reset()
    until(lambda: engine.newest_state.phase == "ready")
    trained(engine, 2)


def test_what_changes_slowly_is_answered_seldom_while_a_network_trains_and_at_once_when_it_stands(engine):
    subject = opened(engine, settings={"epochs": 1000})
    slow = Request("filters", pause=3600.0)
    engine.set_requests({"filters": slow, "activations": Request("activations")}, watching=True)
    engine.set_picture(subject.dataset.picture("validation", 0))
    looked(engine)
    engine.start()
    looked(engine, lambda look: look.step > 0 and "filters" not in look.results and "activations" in look.results)
    other = Request("filters", PROBES["filters"].options(scale="filter"), pause=3600.0)
    engine.set_requests({"filters": other}, watching=True)
    looked(engine, lambda look: "filters" in look.results)  # another question does not wait
    engine.pause()
    until(lambda: engine.newest_state.phase == "paused")
    step = engine.newest_state.step
    assert looked(engine, lambda look: look.step == step and "filters" in look.results).step == step


def test_a_broken_probe_is_told_once_and_the_others_go_on(engine, monkeypatch):
    from guiapp.interpret import PROBES

    subject = opened(engine)
    broken = PROBES["filters"]

    def fail(look, options):
        raise RuntimeError("no such layer")

    monkeypatch.setitem(PROBES._items, "filters", type(broken)("filters", "Filters", broken.options, fail))
    engine.set_requests({"filters": Request("filters"), "activations": Request("activations")}, watching=True)
    for index in range(3):
        picture = subject.dataset.picture("validation", index)
        engine.set_picture(picture)
        assert set(looked(engine, lambda look, p=picture: look.picture is p).results) == {"activations"}
    assert len([n for n in engine.notices.notices if n.level == "error"]) == 1


def test_settings_that_cannot_be_opened_are_told_and_those_before_hold(engine):
    opened(engine, "mlp", settings={"model.hidden": 12})
    engine.configure({"model.hidden": 0})
    until(lambda: engine.notices.notices and engine.newest_state.phase == "ready")
    assert "hidden" in engine.notices.notices[-1].text
    assert engine.newest_state.opened.settings == {"model.hidden": 12}
    trained(engine, 2)


def test_what_a_run_does_before_its_first_step_is_told_with_its_share(engine):
    opened(engine)
    engine._learn._next_display = 0.0
    told, put = [], engine.state.put
    engine.state.put = lambda state: (told.append((state.activity, state.share, state.step)), put(state))
    engine._learn._display, show = lambda *a: (show(*a), 0.0)[1], engine._learn._display  # every event
    trained(engine, 2)
    before = [(what, share) for what, share, step in told if step == 0 and share is not None]
    assert {what for what, _ in before} == {"preparing", "evaluating"}
    shares = [share for what, share in before if what == "evaluating"]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_a_start_shows_the_fresh_weights_at_once(engine):
    subject = opened(engine)
    engine.set_requests({}, watching=True)
    engine.set_picture(subject.dataset.picture("validation", 0))
    first = looked(engine, lambda look: look.prediction is not None).prediction.probabilities
    trained(engine, 20)
    engine.stop()
    until(lambda: engine.newest_state.phase == "finished")
    engine._learn._advance = lambda: time.sleep(0.005)  # it never gets to its first step
    engine.start()
    again = looked(engine, lambda look: look.step == 0).prediction.probabilities
    assert np.array_equal(again, first)


def test_what_was_asked_of_another_network_is_dropped(engine):
    linear = opened(engine, "softmax-classifier")
    engine.set_requests({"linear": Request("linear-views")}, watching=True, asked_of=linear)
    engine.set_picture(linear.dataset.picture("validation", 0))
    assert set(looked(engine, lambda look: look.opened is linear and look.results).results) == {"linear"}
    lenet = opened(engine)
    engine.set_requests({"linear": Request("linear-views")}, watching=True, asked_of=linear)
    assert not looked(engine, lambda look: look.opened is lenet).results
    engine.set_requests({"filters": Request("filters")}, watching=True, asked_of=lenet)
    assert looked(engine, lambda look: bool(look.results)).opened is lenet
    assert not engine.notices.notices
    images = lenet.dataset.validation.images[:3]
    for asked_of, shape in ((linear, (0, 0)), (lenet, (3, 10)), (None, (3, 10))):  # classes of others would be wrong
        job = engine.predict_many(images, asked_of=asked_of)
        assert job.wait(30) and job.result.shape == shape


def test_a_watched_run_is_opened_once_more_where_its_program_comes_and_not_again_and_again(
    engine, tmp_path, monkeypatch
):
    monkeypatch.setattr(learn, "WATCH_SECONDS", 0.01)
    folder, net = tmp_path / "run", torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3))
    with guiapp.watch(net, folder, program=False) as watch:
        watch.step(loss=1.0)
        watch.folder.update(watch=watch.folder.info["watch"] | {"awaited": True})  # as a script in its first steps
        watch._drain()
        monkeypatch.setattr(watched, "written_elsewhere", lambda info: info["state"] == "running")
        engine.open_run(folder)
        until(lambda: engine.newest_state.phase == "running")
        assert not engine.notices.notices, "nothing is missing that does not come by itself"
        first = engine.newest_state.opened
        (folder / "program.pt2").write_bytes(b"of another torch")
        watch.folder.update(watch=watch.folder.info["watch"] | {"program": "program.pt2"})
        until(lambda: engine.newest_state.opened is not first and engine.newest_state.phase == "running")
        again, looks = engine.newest_state.opened, []
        session = engine._learn._session
        monkeypatch.setattr(session.watched, "refresh", lambda: bool(looks.append(1)))
        until(lambda: len(looks) > 5)
        assert engine.newest_state.opened is again
        assert len([one for one in engine.notices.notices if "only its weights" in one.text]) == 1
