"""What a recipe cannot be: settings that exclude one another, or that need another one."""

from guiapp.core.notices import SettingError
from guiapp.training.recipe import Recipe
from guiapp.training.schedules import drop_epochs, full_momentum


def check_recipe(recipe: Recipe) -> None:
    """Raise ``SettingError`` for a recipe of which a part would have no effect, or would break the step."""
    optimiser, schedule = recipe.optimiser, recipe.schedule
    if schedule.points:
        if schedule.name != "step":
            raise SettingError(f"schedule.points belong to schedule=step, not to {schedule.name}")
        try:
            drop_epochs(schedule)
        except ValueError:
            raise SettingError(
                f"schedule.points are epochs in rising order, such as 80,120, not {schedule.points!r}"
            ) from None
    if schedule.warmup and schedule.name == "one-cycle":
        raise SettingError("one-cycle has a warm-up of its own: set schedule.rise and schedule.start, not warmup")
    if schedule.warmup >= recipe.epochs:
        raise SettingError(f"schedule.warmup={schedule.warmup:g} leaves nothing of a run of {recipe.epochs} epochs")
    if schedule.cycles > 1 and schedule.name != "cosine":
        raise SettingError(f"schedule.cycles belong to schedule=cosine, not to {schedule.name}")
    full = full_momentum(recipe)
    if schedule.name == "one-cycle" and 0.0 < full < schedule.momentum_low:
        raise SettingError(
            f"one-cycle lowers the momentum from the optimiser's, {full:g}: schedule.momentum_low="
            f"{schedule.momentum_low:g} is above it"
        )
    if recipe.accumulate > recipe.batch:
        raise SettingError(f"accumulate={recipe.accumulate}: {recipe.batch} samples do not make that many parts")
    if optimiser.name == "newton":
        if recipe.accumulate > 1:
            raise SettingError("newton needs the whole batch for its products with the Hessian: set accumulate=1")
        if recipe.precision == "mixed":
            raise SettingError("newton needs full precision: set precision=float32")
    _check_together(recipe)


def _check_together(recipe: Recipe) -> None:
    """Averages of weights, what is kept on the way, and a teacher."""
    average, members, taught = recipe.average, recipe.members, recipe.distillation
    for group, wanted, every in (("average", average.name, average.every), ("members", members.name, members.every)):
        if wanted != "cycles":
            if every:
                raise SettingError(f"{group}.every is about {group}=cycles, not {wanted}")
        elif not every and (recipe.schedule.name != "cosine" or recipe.schedule.cycles < 2):
            raise SettingError(
                f"{group}=cycles needs cycles: set schedule.cycles, or {group}.every for other schedules"
            )
    if average.name != "none" and recipe.keep != "best":
        raise SettingError("the average is what is kept: set keep=best, the best of it on validation")
    if average.start and average.name == "none":
        raise SettingError("average.start needs average=polyak or cycles")
    if average.start >= recipe.epochs:
        raise SettingError(f"average.start={average.start:g} leaves nothing of a run of {recipe.epochs} epochs")
    if taught.teacher and recipe.transfer.name != "all":
        raise SettingError("a teacher looks at the pictures themselves: set transfer=all")
