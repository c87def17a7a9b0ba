# SPDX-License-Identifier: BSD-3-Clause
"""Fits the polynomial of natural_log for float32 (cpp/kernels/math.inl).

log(1 + f) = f + f^2 p(f) for f in [sqrt(1/2) - 1, 1/2]. The fit minimises the largest relative error of the
logarithm (Lawson's iteration on a weighted least-squares fit), then rounds the coefficients to float32.

    python tools/fit_log.py [degree]
"""

import sys

import numpy as np

LOW, HIGH = np.sqrt(0.5) - 1, 0.5


def tail_over_square(f: np.ndarray) -> np.ndarray:
    """(log(1 + f) - f) / f^2, by its series near zero, where the difference cancels."""
    n = np.arange(2, 40)
    series = ((-1.0) ** (n + 1) / n * f[:, None] ** (n - 2)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        direct = (np.log1p(f) - f) / f**2
    return np.where(np.abs(f) < 0.1, series, direct)


def fit(degree: int) -> np.ndarray:
    """Coefficients in rising order."""
    nodes = 4000
    f = (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
    target = tail_over_square(f)
    sensitivity = np.abs(f**2 / np.log1p(f))
    powers = np.vander(f, degree + 1, increasing=True)
    weight = sensitivity.copy()
    for _ in range(60):
        coefficients = np.linalg.lstsq(powers * weight[:, None], target * weight, rcond=None)[0]
        error = np.abs((powers @ coefficients - target) * sensitivity)
        weight *= np.sqrt(error / error.max() + 1e-3)
        weight /= weight.max()
    rounded = coefficients.astype(np.float32).astype(float)
    for name, c in (("float64", coefficients), ("float32", rounded)):
        worst = np.abs((powers @ c - target) * sensitivity).max()
        print(f"degree {degree}, {name} coefficients: relative error 2^{np.log2(worst):.1f}")
    return rounded


if __name__ == "__main__":
    for value in fit(int(sys.argv[1]) if len(sys.argv) > 1 else 9)[::-1]:
        print(f"{value:.8e}f")
