"""What people do otherwise than the truth: how they click, which radius they give."""

from pseudocell.datasets import CLICK_BIASES

__all__ = ["CLICKS", "RADIUS", "check_habits"]

# What is varied, by the names that stand in records and tables. With their blanks they
# are not taken for parameters of an estimator.
CLICKS, RADIUS = "way of clicking", "radius factor"


def check_habits(sets, clicks, radius_factors):
    """Check them, and return what is to be varied.

    Parameters
    ----------
    sets : iterable of DetectionSet
        The sets.
    clicks : sequence of str
        "random", for the labels as they are otherwise, or one of `CLICK_BIASES`.
    radius_factors : sequence of float
        What the radius of each set is multiplied by.

    Returns
    -------
    habits : dict of str to list
        `CLICKS` and `RADIUS` with their values, each only if there is something to
        vary. The usual value is among them, first for `CLICKS`.

    Raises
    ------
    ValueError
        If a value is not as described, or clicks have to be simulated on a set whose
        cells are not known.
    """
    known = ("random", *CLICK_BIASES)
    for index, kind in enumerate(clicks):
        if kind not in known:
            raise ValueError(
                f"clicks[{index}] is {kind!r}; expected one of {', '.join(known)}."
            )
    for index, factor in enumerate(radius_factors):
        if not 0 < factor < float("inf"):
            raise ValueError(
                f"radius_factors[{index}] is {factor}; expected a number above 0 that "
                "the true radius is multiplied by, such as 0.67."
            )
    habits = {
        CLICKS: list(dict.fromkeys(["random", *clicks])),
        RADIUS: sorted({1.0, *map(float, radius_factors)}),
    }
    for data in sets if len(habits[CLICKS]) > 1 else ():
        if data.train_points is None:
            raise ValueError(
                f"clicks is {list(clicks)}, but not all the cells of the training "
                f"images of the set {data.name} are known (no train/points.csv), and "
                "these are needed to simulate clicks. Add them, or leave out the set."
            )
    return {name: values for name, values in habits.items() if len(values) > 1}
