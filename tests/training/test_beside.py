from guiapp.models.backbones import find_entry
from guiapp.training import beside
from guiapp.training.recipe import Recipe, as_dict, change
from guiapp.training.recipe_file import flat


def test_a_plain_recipe_lacks_nothing_but_its_schedule_and_augmentation():
    plain = change(Recipe(), {"schedule.name": "constant", "augmentation": "none"})
    assert beside.without(plain) == []
    assert [twin.setting for twin in beside.without(Recipe())] == ["schedule.name", "augmentation.name"]


def test_each_thing_can_be_done_without_and_alone():
    recipe = change(
        Recipe(),
        {
            "leave_out.dropout": 0.5,
            "penalty": "l2",
            "augmentation": "none",
            "augmentation.cutout": 0.4,
            "data.share": 0.1,
        },
    )
    found = {twin.setting: twin for twin in beside.without(recipe)}
    assert set(found) == {"leave_out.dropout", "penalty.name", "schedule.name", "augmentation.name", "data.share"}
    other = change(recipe, found["leave_out.dropout"].changes)
    assert other.leave_out.dropout == 0.0 and other.penalty == recipe.penalty
    assert change(recipe, found["augmentation.name"].changes).augmentation.cutout == 0.0


def test_other_choices_leave_out_what_is_there_and_all_of_them_fit():
    recipe = change(Recipe(), {"optimiser": "adam", "optimiser.lr": 0.001, "seed": 7})
    found = beside.others(recipe)
    assert "adam" not in [twin.value for twin in found["optimiser.name"]]
    assert [twin.value for twin in found["optimiser.lr"]] == [0.0001, 0.000333, 0.003, 0.01]
    assert [twin.value for twin in found["seed"]] == [8, 9]
    for twins in found.values():
        for twin in twins:
            assert change(recipe, twin.changes) != recipe


def test_the_network_itself_is_built_otherwise():
    found = beside.networks(find_entry("resnet20"), {"unit": "pre-activation"})
    assert {"model.residual": False} in [twin.changes for twin in found]
    units = [twin.value for twin in found if twin.setting == "model.unit"]
    assert "original" in units and "pre-activation" not in units
    (dropout,) = beside.networks(find_entry("small-vgg"), {})
    assert (
        dropout.changes == {"model.dropout": 0.0} and beside.networks(find_entry("small-vgg"), {"dropout": 0.0}) == []
    )


def test_only_what_decides_figures_is_a_difference():
    mine = flat(as_dict(Recipe()))
    other = flat(as_dict(change(Recipe(), {"batch": 32, "threads": 2, "observe": "on", "loading.ahead": 1})))
    assert beside.changed(mine, other) == {"batch": 32}
