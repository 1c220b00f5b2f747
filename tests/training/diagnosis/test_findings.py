"""Every finding on figures that have the fault, and on figures that have not."""

from dataclasses import replace

import numpy as np
import pytest

from guiapp.training.diagnosis.findings import findings
from guiapp.training.diagnosis.record import BINS, FIGURES, Observations, ObservedLayer
from tests.training.diagnosis.curves import EPOCHS, STEPS, falling, noisy, run

FLAT = np.full(STEPS, 0.1)


def ids(figures):
    return [one.id for one in findings(figures)]


def only(figures, name):
    found = [one for one in findings(figures) if one.id == name]
    assert len(found) == 1, ids(figures)
    return found[0]


def seen(layers=4, records=8, times=(0.05, 0.0, 0.3, 0.5, 0.15), epochs=(), **figures):
    """Observations with the same figures in every record; ``figures`` are one number, or one a layer."""
    usual = {"ratio": 1e-3, "gradient": 0.1, "weight": 1.0, "mean": 0.5, "std": 0.5, "dead": 0.05, "saturated": 0.05}
    rows = {n: np.tile(np.broadcast_to(np.float32(figures.get(n, usual[n])), layers), (records, 1)) for n in FIGURES}
    names = tuple(ObservedLayer(f"layer{i}", "Conv2d", f"relu{i}", "ReLU") for i in range(layers))
    empty = np.zeros((records, layers, BINS), np.float32)
    return Observations(
        names, np.linspace(1, STEPS, records).astype(np.int64), np.tile(np.float32(times), (records, 1)),
        np.full(records, 64, np.float32), np.full(records, 64, np.float32), rows, empty, empty, tuple(epochs),
    )  # fmt: skip


def test_a_healthy_run_has_no_fault():
    assert ids(run()) == []
    assert ids(run(observation=seen())) == []


def test_a_run_that_has_just_begun_has_no_fault():
    short = run()
    assert ids(replace(short, loss=short.loss[:8], rate=short.rate[:8], epochs=(), state="running")) == []
    assert ids(replace(short, loss=short.loss[:0], rate=short.rate[:0], epochs=(), state="new")) == []


# ---------------------------------------------------------------------- divergence and rate


def test_a_loss_that_is_not_a_number_is_divergence_with_its_step():
    loss = noisy(falling())
    loss[399:] = np.nan
    found = only(run(loss), "divergence")
    assert found.severity == "error" and "step 400" in found.text and found.evidence[0].last == 400


def test_a_loss_that_grows_without_end_is_divergence():
    found = only(run(noisy(np.concatenate([falling(steps=500), np.geomspace(0.06, 50, 500)]))), "divergence")
    assert 400 < found.evidence[0].first < 600


def test_a_loss_that_ends_a_little_higher_is_no_divergence():
    assert "divergence" not in ids(run(noisy(np.concatenate([falling(steps=500), np.full(500, 0.2)])), rate=FLAT))


def test_a_loss_above_that_of_guessing_is_a_rate_too_high():
    found = only(
        run(noisy(np.concatenate([np.linspace(2.3, 8, 100), falling(8, 0.1, 8, 900)])), rate=FLAT), "rate-too-high"
    )
    assert "7.7" in found.text and "0.01" in found.advice and found.evidence[0].last < 500


def test_jumps_are_a_rate_too_high():
    loss = noisy(falling(pace=10))
    for start in (300, 450, 600, 750):
        loss[start : start + 20] += 1.0
    found = only(run(loss), "rate-too-high")
    assert "4 times" in found.text and found.evidence[0].first <= 310 and found.evidence[0].last >= 740
    once = noisy(falling(pace=10))
    once[300:320] += 1.0
    assert "rate-too-high" not in ids(run(once))


def test_updates_that_are_large_for_the_weights_are_a_rate_too_high_or_too_low():
    assert "5.0e-02" in only(run(observation=seen(ratio=0.05)), "rate-too-high").text
    assert "rate-too-high" not in ids(run(observation=seen(ratio=3e-3)))
    slow = run(noisy(np.linspace(2.3, 1.7, STEPS), share=0.02), rate=FLAT, observation=seen(ratio=2e-5))
    assert "1 instead of 0.1" in only(slow, "rate-too-low").advice
    assert "rate-too-low" not in ids(replace(slow, observation=seen(ratio=1e-3)))


# ---------------------------------------------------------------------- shapes of the curve


def test_a_loss_that_stands_still_first_is_a_slow_start():
    late = noisy(np.concatenate([np.full(350, 2.3), falling(steps=650)]), share=0.02)
    found = only(run(late), "slow-start")
    assert 340 <= found.evidence[0].last <= 420
    warm = np.concatenate([np.linspace(1e-4, 0.1, 350), np.full(650, 0.1)])
    assert "slow-start" not in ids(run(late, rate=warm)), "a warm-up is meant"


def test_a_flat_loss_at_the_same_rate_is_a_plateau():
    found = only(run(noisy(falling(2.3, 0.9, 20)), rate=FLAT), "plateau")
    assert found.evidence[0].first < 400 and found.evidence[0].last == STEPS
    assert "plateau" not in ids(run(noisy(falling(2.3, 0.9, 20)))), "the rate went down"
    assert "plateau" not in ids(run(noisy(falling(2.3, 0.5, 2)), rate=FLAT)), "it still falls"
    assert "plateau" not in ids(run(noisy(falling(2.3, 0.02, 20)), rate=FLAT)), "it is learned"


def test_a_rate_that_goes_down_while_the_loss_falls_decayed_too_early():
    drop = np.where(np.arange(STEPS) < 250, 0.1, 0.001)
    early = np.concatenate([np.linspace(2.3, 1.2, 250), np.linspace(1.2, 1.1, 750)])
    found = only(run(noisy(early), rate=drop), "decayed-too-early")
    assert {one.plot for one in found.evidence} == {"loss", "rate"} and found.evidence[1].first == 251
    rested = np.concatenate([falling(2.3, 1.2, 15, 250), falling(1.1, 1.0, 9, 750)])
    assert "decayed-too-early" not in ids(run(noisy(rested), rate=drop)), "it stood still before"
    on = np.concatenate([np.linspace(2.3, 1.5, 250), np.linspace(1.5, 0.3, 750)])
    assert "decayed-too-early" not in ids(run(noisy(on), rate=drop)), "it goes on falling"
    assert "decayed-too-early" not in ids(run(noisy(early))), "a cosine falls late"


# ---------------------------------------------------------------------- training and validation


def test_validation_that_gets_worse_while_training_gets_better_is_overfitting():
    held = [1.2, 0.9, 0.7, 0.6, 0.62, 0.66, 0.7, 0.75, 0.8, 0.85]
    found = only(run(held=held), "overfitting")
    assert "after epoch 4" in found.text and found.evidence[0].first == 400
    gap = only(run(learned=np.linspace(0.3, 1.0, EPOCHS), kept=np.linspace(0.3, 0.8, EPOCHS)), "overfitting")
    assert gap.evidence[0].plot == "accuracy"
    assert "overfitting" not in ids(run(learned=np.linspace(0.3, 0.97, EPOCHS), kept=np.linspace(0.3, 0.94, EPOCHS)))


def test_two_bad_curves_without_a_gap_are_underfitting():
    weak = noisy(falling(2.3, 1.4, 5))
    low = np.linspace(0.2, 0.5, EPOCHS)
    rising = only(run(weak, learned=low, kept=low), "underfitting")
    assert "still gains" in rising.text and rising.advice.startswith("Train longer")
    still = np.array([0.2, 0.35, 0.45, *[0.5] * 7])
    assert "still gains" not in only(run(weak, learned=still, kept=still), "underfitting").text
    assert "underfitting" not in ids(replace(run(weak, learned=low, kept=low), total_steps=5 * STEPS)), "not at its end"
    nothing = only(
        run(noisy(np.full(STEPS, 2.3), share=0.01), learned=np.full(10, 0.1), kept=np.full(10, 0.1)), "underfitting"
    )
    assert nothing.text.startswith("Nothing is learned")


# ---------------------------------------------------------------------- labels, time, layers


def test_validation_at_chance_is_a_label_problem():
    found = only(run(held=np.full(10, 4.0), learned=np.linspace(0.4, 1, 10), kept=np.full(10, 0.1)), "label-problems")
    assert found.severity == "error" and "10.0%" in found.text
    assert "label-problems" not in ids(run(learned=np.linspace(0.4, 1, 10), kept=np.full(10, 0.5)))


def test_sure_mistakes_are_a_label_problem_at_the_best_epoch():
    def lines(suspects):
        rest = {"count": 500, "errors": 60, "samples": [4, 9], "pairs": [[3, 5, suspects]]}
        return [{"epoch": e + 1, "step": 100 * (e + 1), "suspects": suspects, **rest} for e in range(EPOCHS)]

    found = only(run(observation=seen(epochs=lines(35))), "label-problems")
    assert found.samples == (4, 9) and "3 read as 5" in found.text and found.evidence[0].first == STEPS
    assert ids(run(observation=seen(epochs=lines(10)))) == []


def test_waiting_for_samples_is_a_data_bottleneck():
    found = only(run(observation=seen(times=(0.5, 0.2, 0.1, 0.15, 0.05))), "data-bottleneck")
    assert "70%" in found.text and "reading samples (50%)" in found.text
    assert ids(run(observation=seen(times=(0.2, 0.1, 0.3, 0.3, 0.1)))) == []


@pytest.mark.parametrize(("figure", "name"), [("dead", "dead-units"), ("saturated", "saturated-units")])
def test_layers_that_learn_nothing_are_named(figure, name):
    found = only(run(observation=seen(**{figure: [0.1, 0.8, 0.1, np.nan]})), name)
    assert found.layers == ("layer1",) and "80%" in found.text
    assert name not in ids(run(observation=seen(**{figure: [0.1, 0.2, 0.1, np.nan]})))


def test_gradients_that_shrink_or_grow_with_depth_are_named():
    found = only(run(observation=seen(gradient=[1e-6, 1e-4, 1e-2, 1.0])), "gradients-by-depth")
    assert found.title == "Vanishing gradients" and found.layers == ("layer0", "layer3")
    assert only(run(observation=seen(gradient=[1e4, 1e2, 1.0, 1e-1])), "gradients-by-depth").title.startswith(
        "Exploding"
    )
    assert ids(run(observation=seen(gradient=[0.01, 0.1, 0.1, 1.0]))) == []


def test_the_worst_comes_first_and_every_finding_is_plain_data():
    loss = noisy(falling())
    loss[800:] = np.nan
    found = findings(run(loss, observation=seen(ratio=0.05, dead=0.9)))
    assert [one.severity for one in found] == sorted(
        (one.severity for one in found), key=["error", "warning", "note"].index
    )
    for one in found:
        plain = one.as_dict()
        assert plain["advice"] and plain["text"].endswith(".")
        assert all(1 <= e["first"] <= e["last"] <= STEPS for e in plain["evidence"])


def test_without_known_classes_the_run_is_measured_against_its_own_beginning():
    flat = run(loss=noisy(np.full(1000, 1.1)), classes=0, learned=np.full(10, 0.33))
    assert flat.chance == pytest.approx(1.1, abs=0.2)
    (found,) = [one for one in findings(flat) if one.id == "underfitting"]
    assert "the run began at 1.1" in found.text.replace("1.09", "1.1") and "guessing" not in found.text
