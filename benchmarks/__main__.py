# SPDX-License-Identifier: BSD-3-Clause
"""Command line: ``python -m benchmarks``, from the root of the repository."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from . import footprint, machine, peers, plots, report, runner, scaling, targets, workloads

_PARTS = ("speed", "scaling", "footprint")


def main() -> int:
    """Measures, prints, draws, writes.  Returns 1 if specfast itself could not be measured."""
    options = _options()
    if importlib.util.find_spec("specfast") is None:
        _say("specfast is not installed in this environment: see benchmarks/README.md")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    effort = replace(runner.QUICK if options.quick else runner.FULL, clock=options.clock)
    data: dict[str, Any] = {
        "date": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "load_before": machine.load_average(),
        "effort": asdict(effort),
        "tables": [],
    }
    verdicts: list[targets.Verdict] = []
    sections: list[str] = []
    hour_s: dict[str, float] = {}

    if "speed" in options.parts:
        for threads in options.threads:
            _say(f"measuring with {threads} thread(s)")
            table = runner.measure(options.peers, options.workloads, threads, effort, _say)
            found = targets.speed(table) if threads == 1 else []
            verdicts += found
            sections.append(_show_speed(table, found, data, options.out))
            data["tables"].append(asdict(table))
            _write(options.out, data, sections)
            if threads == 1:
                hour_s = {p: r.median_s for p, r in table.results.get("W6", {}).items()}
    if "scaling" in options.parts:
        data["scaling"] = scaling.run(
            options.peers, options.longest * 3600.0, hour_s, effort, _say
        )
        verdicts += targets.scaling(data["scaling"])
        plots.scaling_curves(
            data["scaling"], machine.summary(data["machine"]), options.out / "scaling.png"
        )
        _write(options.out, data, sections)
    if "footprint" in options.parts:
        data["footprint"] = footprint.run(options.peers, _say)
        verdicts += targets.footprint(data["footprint"])

    headings, rows = report.target_table(verdicts)
    report.print_table("targets", headings, rows)
    sections.append("## Targets\n\n" + report.markdown(headings, rows))
    data["targets"] = [verdict.as_json() for verdict in verdicts]
    data["load_after"] = machine.load_average()
    _write(options.out, data, sections)
    _say(f"written to {options.out}: results.json, results.md, *.png")
    ours_failed = any(
        peers.OURS in reasons for table in data["tables"] for reasons in table["failures"].values()
    )
    return 1 if ours_failed else 0


def _write(out: Path, data: dict[str, Any], sections: list[str]) -> None:
    """After every part, so that a run cut short leaves what it has."""
    (out / "results.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (out / "results.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _show_speed(
    table: runner.Table, verdicts: list[targets.Verdict], data: dict[str, Any], out: Path
) -> str:
    title = report.heading(table, data)
    headings, rows = report.speed_table(table, verdicts)
    report.print_table(title, headings, rows)
    notes = report.notes(table, data["load_before"])
    for note in notes:
        _say(note)
    plots.ratio_bars(table, title, out / f"ratios-{table.threads}.png")
    listed = "\n".join(f"- {note}" for note in notes)
    return f"## {title}\n\n{report.markdown(headings, rows)}\n\n{listed}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument(
        "--workloads", type=_names(workloads.select), default="", help="such as W2,W7 (all)"
    )
    parser.add_argument(
        "--peers",
        type=_names(peers.select),
        default="",
        help="keys or kinds, such as keras,torch,fft-mkl (all); specfast is always there",
    )
    parser.add_argument(
        "--threads", type=_threads, default="1,all", help="counts, such as 1,all (the default)"
    )
    parser.add_argument(
        "--parts", type=_parts, default=",".join(_PARTS), help="of speed,scaling,footprint (all)"
    )
    parser.add_argument(
        "--longest", type=float, default=1.0, metavar="HOURS", help="of the scaling curve (1)"
    )
    parser.add_argument(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="of one-thread figures: wall (default), or processor on a busy machine",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder to write to")
    return parser.parse_args()


def _names(select: Any) -> Any:
    def parse(text: str) -> Any:
        try:
            return select(text.split(",") if text else None)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def _threads(text: str) -> list[int]:
    cores = len(os.sched_getaffinity(0))
    counts = sorted({cores if word == "all" else int(word) for word in text.split(",")})
    if counts[0] < 1 or counts[-1] > cores:
        raise argparse.ArgumentTypeError(f"{text!r}: from 1 to {cores} threads on this machine")
    return counts


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := set(parts) - set(_PARTS):
        raise argparse.ArgumentTypeError(f"{sorted(unknown)}: not among {', '.join(_PARTS)}")
    return parts


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
