# SPDX-License-Identifier: BSD-3-Clause
"""Programs of the guide for JAX, and for all frameworks.

JAX complains of whatever forks after its import, which tests of torch do.
"""

from __future__ import annotations

from page_programs import programs, run


def test_the_program_for_jax() -> None:
    names = run(programs("frameworks")[2])
    assert names["y"].shape == (8, 80, 32)
    shapes = [kernel.shape for kernel in names["kernels"]]
    assert [gradient.shape for gradient in names["gradients"]] == shapes


def test_the_program_for_front_ends() -> None:
    assert run(programs("frameworks")[3])["y"].shape == (80, 100)
