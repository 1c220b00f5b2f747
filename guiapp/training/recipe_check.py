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
