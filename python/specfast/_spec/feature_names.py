# SPDX-License-Identifier: BSD-3-Clause
"""What other libraries call the fields of a FeatureSpec, and the error that knows it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from specfast._spec import checks

# Field -> what librosa, torchaudio, SciPy, Kaldi, NeMo, transformers and TensorFlow call it.
ALIASES: dict[str, tuple[str, ...]] = {
    "sampling_rate": ("sr", "sample_rate", "samplerate", "rate", "fs", "samp_freq"),
    "num_samples": ("n_samples",),
    "frame_length": ("win_length", "window_length", "nperseg", "win_size", "frame_length_ms"),
    "hop_length": ("hop", "hop_size", "stride", "noverlap", "frame_step", "frame_shift_ms"),
    "fft_length": ("n_fft", "nfft", "fft_size", "mfft", "fft_window_size", "filter_length"),
    "padding": ("center", "snip_edges", "boundary"),
    "remove_dc": ("remove_dc_offset", "detrend"),
    "energy": ("use_energy", "raw_energy"),
    "preemphasis": ("preemph", "preemph_coeff", "preemphasis_coefficient"),
    "window": ("window_fn", "win", "window_type"),
    "window_periodic": ("periodic", "fftbins"),
    "window_scaling": ("scaling", "scale_to"),
    "epsilon": ("eps",),
    "magnitude_exponent": ("power", "mag_exp", "mag_power", "use_power"),
    "num_mel_bins": ("n_mels", "num_mels", "num_bins", "mel_bins", "n_bands", "feature_size"),
    "min_freq": ("fmin", "f_min", "low_freq", "min_frequency", "lower_edge_hertz"),
    "max_freq": ("fmax", "f_max", "high_freq", "max_frequency", "upper_edge_hertz"),
    "mel_scale": ("htk",),
    "mel_norm": ("norm",),
    "level": ("log_mels", "log_mel", "power_to_db", "to_db", "use_log_fbank"),
    "floor": ("amin", "min_power", "mel_floor"),
    "reference": ("ref", "ref_power"),
    "dynamic_range": ("top_db", "db_range"),
    "dynamic_range_scope": ("top_db_scope",),
    "pcen_bias": ("bias",),
    "pcen_time_constant": ("time_constant",),
    "num_cepstra": ("n_mfcc", "num_ceps"),
    "lifter": ("cepstral_lifter",),
    "normalization": ("normalize",),
    "num_frames": ("max_length",),
    "layout": ("data_format",),
}
# Names of another quantity or unit: how the field follows from it.
_REMARKS = {
    "noverlap": " (the frame's length minus noverlap)",
    "frame_length_ms": ", in samples",
    "frame_shift_ms": ", in samples",
}


def refuse_unknown(given: Iterable[Any], known: Collection[str]) -> None:
    """Refuses names that are no fields, with the field that each probably means.

    Raises:
        TypeError: for the first of them.
    """
    import difflib  # for errors only

    for name in given:
        if name in known:
            continue
        names = {field: field for field in known}
        names |= {alias: field for field, aliases in ALIASES.items() for alias in aliases}
        near = [name] if name in names else difflib.get_close_matches(str(name), names, 1)
        meant = f"; did you mean {names[near[0]]!r}{_REMARKS.get(name, '')}?" if near else ""
        raise TypeError(f"FeatureSpec has no field {checks.short(name)}{meant}")
