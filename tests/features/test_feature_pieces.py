# SPDX-License-Identifier: BSD-3-Clause
"""Features that are computed in float64 and returned in float32, piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from specfast import FeatureExtractor
from specfast._engine import pieces
from specs import FRAMINGS, SCOPES, STEPS, clip, made

VALID = [framing for framing in FRAMINGS if framing["padding"] == "valid"]


@pytest.mark.parametrize("layout", ["bands_first", "frames_first"])
@pytest.mark.parametrize("framing", VALID, ids=str)
def test_pieces_change_no_bit(
    framing: dict[str, Any], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = np.stack([clip(3000, seed) for seed in range(3)])
    samples = [batch[0], batch[:, ::2], batch[:2].reshape(2, 1, -1), batch[:, :250], batch[:0]]
    for steps in (*STEPS, *SCOPES):
        spec = made(framing, steps, layout=layout, precision="float64")
        whole = FeatureExtractor(spec.replace(dtype="float64"))
        wanted = [whole(x, scale=0.5).astype(np.float32) for x in samples]
        for frames, threads in ((7, 1), (33, 2)):
            monkeypatch.setattr(pieces, "_PIECE_BYTES", frames * spec.num_rows * 8)
            extractor = FeatureExtractor(spec, num_threads=threads)
            for x, want in zip(samples, wanted, strict=True):
                np.testing.assert_array_equal(extractor(x, scale=0.5), want)
            out = np.full_like(wanted[1], np.nan)
            assert extractor(samples[1], out=out, scale=0.5) is out
            np.testing.assert_array_equal(out, wanted[1])


def test_frames_that_depend_on_more_than_their_samples_are_not_cut() -> None:
    alone = [steps for steps in STEPS if not {"pcen", "preemphasis_rule"} & steps.keys()]
    for steps in (*STEPS, *SCOPES):
        spec = made({"padding": "valid"}, steps)
        assert pieces.frames_stand_alone(spec) is (steps in alone)
        for framing in FRAMINGS[len(VALID) :]:
            assert not pieces.frames_stand_alone(made(framing, steps))


@pytest.mark.parametrize("shape", [(3, 12), (12, 29)])
def test_an_out_that_does_not_fit_is_refused(shape: tuple[int, int]) -> None:
    extractor = FeatureExtractor(made({"padding": "valid"}, precision="float64"))
    x = clip(3000)
    with pytest.raises(ValueError, match="`out` must have shape"):
        extractor(x, out=np.empty(shape, np.float32))
    with pytest.raises(TypeError, match="`out` must have dtype float32"):
        extractor(x, out=np.empty((12, 28), np.float64))
    assert extractor.compute_output_shape(x.shape) == (12, 28)
