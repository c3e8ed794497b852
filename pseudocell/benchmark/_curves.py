"""Curves of F1 against what was varied, as PNG."""

from pseudocell.benchmark._panels import make_panels, save_png

__all__ = ["draw_curves"]

# Okabe and Ito, "Color Universal Design", 2008: to be told apart by everybody.
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX*<>"


def draw_curves(result, name, scores):
    """Draw F1 against what was varied, a panel for each set.

    `scores`, from `ablations`, are those of what is called `name`; bars are standard
    deviations over the seeds.
    """
    sets = scores["set"].unique()
    figure, axes = make_panels(len(sets), 3, 3.6, 2.9)
    for ax, data in zip(axes, sets, strict=True):
        here = scores[scores["set"] == data]
        for number, method in enumerate(result.methods):
            values = here[here["method"] == method].groupby("value", sort=False)["f1"]
            if not values.ngroups:
                continue
            ax.errorbar(
                values.mean().index,
                values.mean(),
                values.std().fillna(0),
                color=LINES[number % len(LINES)],
                marker=MARKERS[number % len(MARKERS)],
                markersize=5,
                linewidth=1.4,
                capsize=2,
                label=method,
            )
        _dress(ax, scores["value"])
        ax.set(title=data, xlabel=name, ylabel="F1", ylim=(0, 1.02))
    handles = {}
    for ax in axes:
        handles |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(
        handles.values(), handles, loc="outside lower center", ncols=4, frameon=False
    )
    return save_png(figure)


def _dress(ax, values):
    if values.dtype.kind not in "if":  # words are too wide to stand side by side
        ax.tick_params(axis="x", labelrotation=30)
    elif values.min() > 0 and values.max() >= 5 * values.min():
        ax.set_xscale("log")
        ticks = sorted(values.unique())
        ax.set_xticks(ticks, [f"{value:g}" for value in ticks])
        ax.minorticks_off()
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
