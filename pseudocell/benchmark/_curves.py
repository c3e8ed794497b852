"""F1 against what was varied, curves over numbers and bars over words, as PNG."""

import numpy as np

from pseudocell.benchmark._panels import make_panels, save_png

__all__ = ["draw_curves"]

# Okabe and Ito, "Color Universal Design", 2008: to be told apart by everybody.
LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX*<>"


def draw_curves(result, name, scores, goals):
    """Draw F1 against what was varied, a panel for each set.

    `scores`, from `ablations`, are those of what is called `name`, and `goals` the F1
    of full supervision by the name of the set, where it is known. Error bars are
    standard deviations over the seeds. Returned are the picture and in words what is
    seen.
    """
    sets = scores["set"].unique()
    figure, axes = make_panels(len(sets), 3, 3.6, 2.9)
    words, lowest = [], 1.0
    are_numbers = scores["value"].dtype.kind in "if"
    for ax, data in zip(axes, sets, strict=True):
        here = scores[scores["set"] == data]
        found = {
            method: here[here["method"] == method].groupby("value", sort=False)["f1"]
            for method in result.methods
        }
        found = {method: values for method, values in found.items() if values.ngroups}
        draw = _draw_lines if are_numbers else _draw_bars
        draw(ax, found, [*result.methods])
        if goals.get(data) is not None:
            label = "full supervision, all cells"
            ax.axhline(goals[data], color="#666", linestyle="--", label=label)
        lowest = min([lowest, *(values.mean().min() for values in found.values())])
        _dress(ax, scores["value"])
        ax.set(title=data, xlabel=name, ylabel="F1")
        for method, values in found.items():
            means = ", ".join(f"{v}: {f1:.2f}" for v, f1 in values.mean().items())
            words.append(f"{method} on {data}, F1 at {means}")
    # Bars begin at zero; curves need no empty half below them.
    bottom = max(0.0, lowest - 0.1) if are_numbers else 0.0
    for ax in axes:
        ax.set_ylim(bottom, 1.02)
    handles = {}
    for ax in axes:
        handles |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(
        handles.values(), handles, loc="outside lower center", ncols=4, frameon=False
    )
    return save_png(figure), "; ".join(words) + "."


def _draw_lines(ax, found, methods):
    for method, values in found.items():
        number = methods.index(method)
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


def _draw_bars(ax, found, methods):
    names = [*dict.fromkeys(v for values in found.values() for v in values.groups)]
    width = 0.8 / len(found)
    for place, (method, values) in enumerate(found.items()):
        means = values.mean().reindex(names)
        ax.bar(
            np.arange(len(names)) + (place - (len(found) - 1) / 2) * width,
            means,
            width,
            yerr=values.std().reindex(names),  # none of a single seed
            color=LINES[methods.index(method) % len(LINES)],
            capsize=2,
            label=method,
        )
    ax.set_xticks(np.arange(len(names)), names)


def _dress(ax, values):
    if values.dtype.kind not in "if":  # words are too wide to stand side by side
        ax.tick_params(axis="x", labelrotation=30)
    elif values.min() > 0 and values.max() >= 5 * values.min():
        ax.set_xscale("log")
        ticks = sorted(values.unique())
        ax.set_xticks(ticks, [f"{value:g}" for value in ticks])
        ax.minorticks_off()
    ax.grid(alpha=0.25)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
