# SPDX-License-Identifier: BSD-3-Clause
"""Pictures: ratio bars for each number of threads, and the two scaling curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .peers import OURS, PEERS
from .runner import Table
from .workloads import WORKLOADS

mpl.use("Agg")

_COLOURS = {
    "keras": "#c8553d",
    "peer": "#4f7cac",
    "original": "#8d6a9f",
    "fft": "#9aa5ad",
    "ours": "#1b998b",
}
_HEADINGS = {peer.key: peer.heading for peer in PEERS}
_KINDS = {peer.key: peer.kind for peer in PEERS}
_LEGEND = {
    "keras": "the Keras layer",
    "peer": "the same feature elsewhere",
    "original": "the original of a preset",
    "fft": "bare FFTs of the frames, nothing else",
}
_COLUMNS = 3


def ratio_bars(table: Table, title: str, path: Path) -> None:
    """One panel a workload: how many times longer each peer takes."""
    shown = [w for w in WORKLOADS if OURS in table.results.get(w.key, {})]
    if not shown:
        return
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.7 * columns, 2.9 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for axis, work in zip(axes.flat, shown, strict=False):
        _bars(axis, table, work.key)
        ours = table.results[work.key][OURS].median_s * 1e3
        axis.set_title(f"{work.key}: {work.title}\nspecfast {ours:.3g} ms", fontsize=9)
    handles = [Patch(color=_COLOURS[kind]) for kind in _LEGEND]
    figure.legend(
        handles, list(_LEGEND.values()), loc="outside lower center", ncols=3, frameon=False
    )
    figure.suptitle(f"Time / specfast's time, {title}", fontsize=11)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _bars(axis: Axes, table: Table, workload: str) -> None:
    results = table.results[workload]
    ours = results[OURS].median_s
    peers = [r for r in results.values() if _KINDS[r.peer] in _LEGEND]
    peers.sort(key=lambda result: result.median_s)
    for place, result in enumerate(reversed(peers)):
        low, high = (q / ours for q in result.quartiles_s)
        value = result.median_s / ours
        axis.barh(place, value, color=_COLOURS[_KINDS[result.peer]])
        axis.plot([low, high], [place, place], color="black", linewidth=1)
        axis.annotate(
            f"{value:.1f}",
            (max(value, high), place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    names = [_HEADINGS[r.peer] for r in reversed(peers)]
    axis.set_yticks(range(len(peers)), names, fontsize=7)
    axis.axvline(1.0, color=_COLOURS["ours"], linewidth=1.5)
    axis.set_xlim(0, None)
    axis.margins(x=0.12)
    axis.tick_params(axis="x", labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def scaling_curves(curves: dict[str, Any], title: str, path: Path) -> None:
    """Left: time over length, one thread.  Right: our speed-up over threads."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
    for peer, times in curves["seconds_by_length"].items():
        seconds = [float(length) for length in times]
        style: dict[str, Any] = {"linewidth": 1.2, "alpha": 0.85, "marker": "."}
        if peer == OURS:
            style = {"linewidth": 2.5, "color": _COLOURS["ours"], "marker": "o"}
        left.plot(seconds, [t * 1e3 for t in times.values()], label=_HEADINGS[peer], **style)
    left.set(xscale="log", yscale="log", xlabel="length of the signal / s", ylabel="time / ms")
    left.set_title("mel 2048/512, 128 bands, one signal at 16 kHz, one thread", fontsize=10)
    left.grid(visible=True, which="major", alpha=0.3)
    left.legend(fontsize=8)
    for name, speedups in curves["speedup"].items():
        threads = [int(n) for n in speedups]
        right.plot(threads, list(speedups.values()), marker="o", label=name)
    most = max(int(n) for s in curves["speedup"].values() for n in s)
    right.plot([1, most], [1, most], color="grey", linestyle=":", label="ideal")
    right.set(xlabel="threads", ylabel="speed / speed on one thread", xlim=(0.8, most + 0.2))
    right.set_xticks(sorted({int(n) for s in curves["speedup"].values() for n in s}))
    right.set_title("specfast on more threads", fontsize=10)
    right.grid(visible=True, alpha=0.3)
    right.legend(fontsize=8)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=130)
    plt.close(figure)
