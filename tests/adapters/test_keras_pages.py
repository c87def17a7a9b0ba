# SPDX-License-Identifier: BSD-3-Clause
"""Programs of the guide: how many, and that for Keras. Others run beside their framework."""

from __future__ import annotations

import numpy as np
import pytest
from page_programs import programs, run

COUNTS = {"frameworks": 4, "corpus-sources": 1}


@pytest.mark.parametrize("page", COUNTS)
def test_every_program_is_known(page: str) -> None:
    assert len(programs(page)) == COUNTS[page]


def test_the_program_for_keras(rng: np.random.Generator) -> None:
    model = run(programs("frameworks")[0])["model"]
    result = model.predict(rng.standard_normal((2, 16000, 1)), verbose=0)
    assert result.shape == (2, 4)
