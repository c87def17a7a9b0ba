# SPDX-License-Identifier: BSD-3-Clause
"""Fits the polynomials of cpp/kernels/lanes/math.inl and prints their coefficients.

The highest power comes first.

    log   log(1 + f) = f + f^2 p(f),           f in [sqrt(1/2) - 1, 1/2]
    log   log(1 + f) = 2 s + s z p(z),         s = f / (2 + f), z = s^2, |f| as above
    atan  atan(t)    = t + t^3 p(t^2),         |t| <= 0.55

Chebyshev interpolation in 40 digits (near-minimax), coefficients rounded to the target type. The
error printed is that of the function, relative, with the rounded coefficients.

    python tools/fit_polynomials.py
"""

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

# mpmath's numbers have no usable types.
Number = Any

mp.mp.dps = 40


def fit(
    name: str,
    tail: Callable[[Number], Number],
    interval: list[Number],
    rebuild: Callable[[Number, Number], tuple[Number, Number]],
    degree: int,
    dtype: type[np.floating[Any]],
) -> None:
    """Fit p to tail on interval.

    rebuild(v, p(v)) gives the function's approximation and its exact value.
    """
    exact = mp.chebyfit(tail, interval, degree + 1)
    rounded = [dtype(float(c)) for c in exact]
    worst = 0
    for point in mp.linspace(*interval, 999)[1:]:
        if abs(point) < mp.mpf(10) ** -6:
            continue
        approximation, value = rebuild(
            point, mp.polyval([mp.mpf(float(c)) for c in rounded], point)
        )
        worst = max(worst, abs(approximation / value - 1))
    error = float(mp.log(worst, 2))
    print(f"{name}, {np.dtype(dtype)}, degree {degree}: relative error 2^{error:.1f}")
    print(", ".join(np.format_float_scientific(c, unique=True) for c in rounded))


def log_tail(f: Number) -> Number:
    return (mp.log1p(f) - f) / f**2 if f else mp.mpf(-1) / 2


def atan_tail(t_square: Number) -> Number:
    t = mp.sqrt(t_square)
    return (mp.atan(t) - t) / t**3 if t else mp.mpf(-1) / 3


def rebuild_atan(t_square: Number, p: Number) -> tuple[Number, Number]:
    t = mp.sqrt(t_square)
    return t + t * t_square * p, mp.atan(t)


def log_ratio_tail(z: Number) -> Number:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / s**3 if z else mp.mpf(2) / 3


def rebuild_log_ratio(z: Number, p: Number) -> tuple[Number, Number]:
    s = mp.sqrt(z)
    return 2 * s + s * z * p, 2 * mp.atanh(s)


def main() -> None:
    log_interval = [mp.sqrt(0.5) - 1, mp.mpf(1) / 2]
    fit("log", log_tail, log_interval, lambda f, p: (f + f**2 * p, mp.log1p(f)), 9, np.float32)
    fit("log", log_ratio_tail, [0, mp.mpf("0.2") ** 2], rebuild_log_ratio, 7, np.float64)
    atan_interval = [0, mp.mpf("0.55") ** 2]
    fit("atan", atan_tail, atan_interval, rebuild_atan, 6, np.float32)
    fit("atan", atan_tail, atan_interval, rebuild_atan, 17, np.float64)


if __name__ == "__main__":
    main()
