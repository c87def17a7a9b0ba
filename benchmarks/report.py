# SPDX-License-Identifier: BSD-3-Clause
"""Tables for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from . import targets
from .machine import summary
from .peers import PEERS
from .runner import Table
from .targets import Verdict
from .workloads import WORKLOADS

_TITLES = {work.key: work.title for work in WORKLOADS}
_WIDTH = 200
_WORKLOAD_WIDTH = 24
_LONGEST_NUMBER = 5
_DISTURBED = 0.9
_BUSY = 0.5

Rows = list[list[str]]


def speed_table(table: Table, verdicts: Sequence[Verdict]) -> tuple[list[str], Rows]:
    """Headings and rows: workload, ours, peers (ms), ratios, must, aim."""
    measured = {key for row in table.results.values() for key in row}
    peers = [p for p in PEERS if p.key in measured and p.kind != "isa"]
    headings = ["workload", *(p.heading for p in peers)]
    headings += ["Keras / ours", "peer / ours", "must", "aim"]
    rows = []
    for key, results in table.results.items():
        own = [v for v in verdicts if v.row == key and not v.apart]
        cells = [f"{key}  {_TITLES.get(key, '')}"]
        for peer in peers:
            if peer.key in results:
                cells.append(milliseconds(results[peer.key].median_s))
            else:
                cells.append("failed" if _failed(table, key, peer.key) else "")
        cells.append(_ratio(targets.ratio(table, key, ("keras",))))
        cells.append(_ratio(targets.ratio(table, key, ("keras", "peer", "original"))))
        cells.append("\n".join(_judged(v, v.must, v.what.removesuffix(" / ours")) for v in own))
        cells.append("\n".join(_judged(v, v.aim, "") for v in own))
        rows.append(cells)
    return headings, rows


def target_table(verdicts: Sequence[Verdict]) -> tuple[list[str], Rows]:
    """Headings and rows of every target measured."""
    rows = [
        [v.row, v.what, _value(v), _limit(v, v.must), _yes(v.met(v.must))]
        + ([_limit(v, v.aim), _yes(v.met(v.aim))] if v.aim is not None else ["", ""])
        for v in verdicts
    ]
    return ["row", "figure", "measured", "must", "met", "aim", "met"], rows


def notes(table: Table, load_before: float) -> list[str]:
    """What a reader must know beside the figures."""
    lines = [
        f"Medians in ms by the {table.clock} clock; an empty cell: this peer has no such feature."
    ]
    forms: dict[str, set[str]] = {}
    for results in table.results.values():
        for result in results.values():
            if len(result.trials_s) > 1:
                forms.setdefault(result.peer, set()).add(result.form)
    headings = {p.key: p.heading for p in PEERS}
    lines += [f"{headings[p]}: fastest form ({', '.join(sorted(f))})" for p, f in forms.items()]
    for workload, failures in table.failures.items():
        where = "not started" if workload == "*" else workload
        lines += [f"{headings[p]}, {where}: {reason}" for p, reason in failures.items()]
    if table.threads > 1 and load_before > _BUSY:
        lines.append(
            f"The machine was busy before the run (load average {load_before:.1f}): figures of "
            "several threads are not to be trusted."
        )
    if table.threads == 1:
        shares = [r.running for row in table.results.values() for r in row.values()]
        if shares and min(shares) < _DISTURBED:
            lines.append(
                "Other work disturbed this run: the measured processes held their core between "
                f"{min(shares):.0%} and {max(shares):.0%} of the time"
                + (
                    ", which favours short calls; see --clock processor."
                    if table.clock == "wall"
                    else "; processor time leaves that out, but not its effect on caches."
                )
            )
    return lines


def heading(table: Table, report: dict[str, Any]) -> str:
    """Threads, machine, date."""
    threads = "one thread, pinned" if table.threads == 1 else f"{table.threads} threads"
    return f"{threads}: {summary(report['machine'])}, {report['date'][:10]}"


def print_table(title: str, headings: Sequence[str], rows: Rows) -> None:
    """To the terminal, as wide as it takes."""
    console = Console(width=_WIDTH)
    table = RichTable(title=title, show_lines=True, padding=0)
    for name in headings:
        words = name in ("workload", "row", "figure", "must", "aim")
        table.add_column(
            name,
            justify="left" if words else "right",
            no_wrap=name in ("must", "aim"),
            min_width=_WORKLOAD_WIDTH
            if name == "workload"
            else max(_LONGEST_NUMBER, *(len(word) for word in name.split())),
            max_width=_WORKLOAD_WIDTH if name == "workload" else None,
        )
    for row in rows:
        table.add_row(*row)
    console.print(table)


def markdown(headings: Sequence[str], rows: Rows) -> str:
    """The same table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(c.replace("\n", "<br>") for c in r) + " |" for r in lines)


def milliseconds(seconds: float) -> str:
    """Three digits."""
    value = seconds * 1e3
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _failed(table: Table, workload: str, peer: str) -> bool:
    return any(peer in table.failures.get(where, {}) for where in (workload, "*"))


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _value(verdict: Verdict) -> str:
    if verdict.value is None:
        return "not measured"
    return f"{verdict.value:.2f} {verdict.unit}"


def _limit(verdict: Verdict, limit: float | None) -> str:
    return "" if limit is None else f"{'<=' if verdict.at_most else '>='} {limit:g}"


def _judged(verdict: Verdict, limit: float | None, label: str) -> str:
    if limit is None:
        return ""
    return f"{label} {_limit(verdict, limit)} {_yes(verdict.met(limit))}".strip()


def _yes(met: bool | None) -> str:
    return "-" if met is None else "yes" if met else "NO"
