# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of docs/front-ends.md and docs/front-ends, or writes them into these pages.

    python tools/front_end_tables.py whisper    # the tables of one page
    python tools/front_end_tables.py --write    # into all pages, between their markers

Errors are those of tests/golden/front_ends and of the installed specfast against the float64
oracle. They are rounded up to one digit; other instruction sets find others, by luck.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

import feature_oracle  # noqa: E402
import front_end_limits  # noqa: E402
import front_ends  # noqa: E402
from specfast import EmptyBandsWarning, FeatureExtractor, presets  # noqa: E402

BEGIN, END = "<!-- tables: begin -->\n\n", "\n<!-- tables: end -->\n"
CLIPS = ("speech", "synth", "short", "silence")
LEAST = 1e-7  # about the rounding of a float32 result near 1

OVERVIEW = "front-ends"
# The page of each preset.
PAGES: dict[str, tuple[str, ...]] = {
    "whisper": ("whisper", "whisper_large_v3"),
    "nemo": ("nemo", "parakeet"),
    "kaldi": ("kaldi_fbank", "kaldi_mfcc", "seamless_m4t", "ast", "beats"),
    "hugging-face": ("phi4_multimodal", "gemma3n", "lasr", "speecht5_target"),
    "vocoders": ("hifigan", "bigvgan", "univnet", "vocos"),
    "librosa-torchaudio": (
        "librosa_mel",
        "librosa_mel_db",
        "librosa_mfcc",
        "librosa_pcen",
        "torchaudio_mel",
        "torchaudio_mfcc",
        "tf_signal",
    ),
    "audio-tagging": ("yamnet", "vggish", "panns", "clap", "clap_fusion"),
}


def rounded_up(error: float) -> str:
    """Returns a number with one digit that is not smaller."""
    if error < LEAST:
        return f"< {digits(LEAST)}"
    exponent = math.floor(math.log10(error))
    digit = math.ceil(error / 10.0**exponent - 1e-9)
    return digits(digit * 10.0**exponent)


def digits(number: float) -> str:
    """Returns a number of one digit as it stands in the tables."""
    return f"{number:.0e}".replace("e-0", "e-")


def source(name: str) -> tuple[str, str, str]:
    """Returns program, version and call of a stored result."""
    with np.load(front_ends.GOLDEN / f"{name}.npz") as file:
        program, version, call = str(file["source"]).split(" ", 2)
    return program, version.rstrip(","), call


def errors(name: str, clip: str) -> tuple[float, float]:
    """Returns the largest errors of an original and of its preset on a clip."""
    spec, samples = front_ends.spec(name), front_ends.clips()[clip]
    exact = feature_oracle.features(spec, samples)
    theirs, ours = front_ends.stored(name, clip), FeatureExtractor(spec)(samples)
    return float(np.abs(theirs - exact).max()), float(np.abs(ours - exact).max())


def stored_table(names: list[str]) -> str:
    """Returns the errors of stored results, a row for each clip."""
    rows = ["| original | version | clip | its own error | ours |\n|---|---|---|---|---|"]
    for name in names:
        program, version, call = source(name)
        named = f"{program}: `{call}` | {version}"
        for clip in CLIPS:
            theirs, ours = map(rounded_up, errors(name, clip))
            rows.append(f"| {named} | {clip} | {theirs} | {ours} |")
            named = " | "  # below the same
    return "\n".join(rows)


def live_table(names: tuple[str, ...]) -> str:
    """Returns how far presets may be from the originals that `make front-ends` runs."""
    rows = ["| preset | on noise | on recordings and chirps |\n|---|---|---|"]
    for name in names:
        noise, recordings = map(rounded_up, front_end_limits.TOLERANCES[name])
        rows.append(f"| `{name}` | {noise} | {recordings} |")
    return "\n".join(rows)


def stream_of(name: str) -> str:
    """Returns what a stream of a preset waits for, or why there is none."""
    extractor, spec = presets.get(name), presets.spec(name)
    try:
        rule = None if spec.dynamic_range is None else "running"
        latency = extractor.stream(max_level=rule).latency_samples
    except ValueError as error:
        return "no: " + " ".join(str(error).split()[:1])
    return f"{latency} samples" + ("" if rule is None else ", with `max_level`")


def gradient_of(name: str) -> str:
    """Returns whether a preset has a gradient."""
    try:
        features, pullback = presets.get(name).vjp(np.zeros(8000, np.float32))
        pullback(np.zeros_like(features))
    except ValueError:
        return "no"
    return "yes"


def overview() -> str:
    """Returns what each preset is and can do."""
    rows = [
        "| preset | samples/s | rows | layout | computes in | stream | gradient |",
        "|---|---|---|---|---|---|---|",
    ]
    for page, names in PAGES.items():
        for name in names:
            spec = presets.spec(name)
            rows.append(
                f"| [`{name}`](front-ends/{page}.md) | {spec.sampling_rate:.0f} | {spec.num_rows} "
                f"| {spec.layout} | {spec.precision} | {stream_of(name)} | {gradient_of(name)} |"
            )
    return "\n".join(rows) + "\n"


def same_numbers(page: str) -> str:
    """Returns how near the presets of a page are to their originals."""
    names = [name for name, (preset, _) in front_ends.CALLS.items() if preset in PAGES[page]]
    parts = []
    if names:
        parts.append(
            "Largest errors against a float64 computation, over the values of a clip:\n\n"
            + stored_table(names)
        )
    parts.append(
        "Differences from the original that `make front-ends` allows, about twice the largest "
        "that it finds:\n\n" + live_table(PAGES[page])
    )
    return "\n\n".join(parts) + "\n"


def tables(page: str) -> str:
    """Returns what stands between the markers of a page."""
    return overview() if page == OVERVIEW else same_numbers(page)


def path_of(page: str) -> Path:
    return ROOT / "docs" / ("" if page == OVERVIEW else "front-ends") / f"{page}.md"


def between_markers(text: str) -> str:
    """Returns the tables that a page holds.

    Raises:
        ValueError: if it does not have both markers once.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"a page must have {BEGIN.strip()} and {END.strip()} once")
    return text.split(BEGIN)[1].split(END)[0]


def write(page: str) -> None:
    """Puts its tables into a page."""
    path = path_of(page)
    text = path.read_text("utf-8")
    old = between_markers(text)
    path.write_text(text.replace(BEGIN + old + END, BEGIN + tables(page) + END), "utf-8")


def alike(held: str, printed: str, factor: float) -> bool:
    """Returns whether two texts differ in errors only, and in these by no more than a factor."""
    number = r"(?<=\| )(?:< )?\de-?\d+(?= \|)"
    if re.sub(number, "#", held) != re.sub(number, "#", printed):
        return False
    pairs = zip(re.findall(number, held), re.findall(number, printed), strict=True)
    values = [[float(text.lstrip("< ")) for text in pair] for pair in pairs]
    return all(max(pair) <= factor * min(pair) for pair in values)


def main() -> None:
    pages = (OVERVIEW, *PAGES)
    parser = argparse.ArgumentParser(description="Tables of the guide to front ends.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(pages)}")
    parser.add_argument("--write", action="store_true", help="write into the pages")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", EmptyBandsWarning)  # the originals have such bands
    for page in arguments.pages or pages:
        if page not in pages:
            parser.error(f"no page {page!r}")
        if arguments.write:
            write(page)
        else:
            print(f"{page}\n\n{tables(page)}")


if __name__ == "__main__":
    main()
