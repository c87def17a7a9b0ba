// SPDX-License-Identifier: BSD-3-Clause
// A tile backwards: from the gradient of its output to those of its spectrum and of its samples.
// Included inside the namespace of one ISA.
//
// The adjoint of every step of tile.inl, in reverse order. What the derivatives depend on, spectrum
// and band energies, is computed once more. The spectrum stands in planes: all real rows, then all
// imaginary rows; its gradient takes the same places, in the modes real and imag only one plane.
// Where a square root, a logarithm, an angle or a power has no derivative, or none that its type
// holds, it is taken as zero: at a power below the normal numbers, and at and below a floor. NaN
// stays NaN.

// Kernel rows (columns of their gradient) that are summed together: two vectors.
template <typename T>
constexpr int64_t kOuterColumns = 2 * kLanesOf<Widest<T>>;

constexpr bool is_linear(SpectrumOp op) { return op <= SpectrumOp::kStft; }

template <typename T>
struct AdjointLayout {
  int64_t transform, spectrum, cotangent, power, bands, scratch, end;
  int64_t num_spectrum_rows;  // filled up with zeros to whole groups of kOuterColumns

  AdjointLayout(const TilePlan<T>& plan, int64_t lanes) {
    constexpr int64_t kAlignment = int64_t(kWorkspaceAlignment / sizeof(T));
    const auto round_up = [](int64_t count, int64_t multiple) {
      return (count + multiple - 1) / multiple * multiple;
    };
    const auto after = [&](int64_t begin, int64_t count) {
      return begin + round_up(count, kAlignment);
    };
    num_spectrum_rows = round_up(2 * plan.num_bins, kOuterColumns<T>);
    transform = after(0, plan.hop_rows * plan.hop_columns);
    spectrum = after(transform, plan.product ? 0 : plan.dft_length * lanes);
    cotangent = after(spectrum, num_spectrum_rows * lanes);
    power = after(cotangent, plan.num_output_rows * lanes);
    bands = after(power, plan.num_bands ? plan.num_bins * lanes : 0);
    scratch = after(bands, plan.num_bands * lanes);
    end = after(scratch, fallback_scratch_size(plan) * lanes);
  }
};

template <typename T, int kTileLanes>
size_t adjoint_bytes(const TilePlan<T>& plan) {
  return size_t(AdjointLayout<T>(plan, kTileLanes).end) * sizeof(T);
}

// The reverse of store_rows: the caller's layout to rows of lanes. Lanes without a frame become
// zero.
template <typename T, int kTileLanes>
void load_rows(const AdjointArgs<T>& args, int64_t num_rows, T* rows) {
  if (args.num_frames < kTileLanes)
    __builtin_memset(rows, 0, size_t(num_rows * kTileLanes) * sizeof(T));
  int64_t done = 0;
  if (args.row_stride == 1) {
    done = args.num_frames - args.num_frames % kGroup<T>;
    copy_transposed(args.cotangent, args.frame_stride, done, num_rows, rows, kTileLanes);
  }
  for (int64_t row = 0; row < num_rows; ++row) {
    const T* const from = args.cotangent + row * args.row_stride;
    for (int64_t f = done; f < args.num_frames; ++f)
      rows[row * kTileLanes + f] = from[f * args.frame_stride];
  }
}

// Lanes without a frame become zero: they may have seen samples behind the last frame, and a NaN
// there times a gradient of zero would reach the frames beside them.
template <typename T, int kTileLanes>
void clear_idle_lanes(int64_t num_frames, int64_t num_rows, T* rows) {
  if (num_frames == kTileLanes) return;
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t f = num_frames; f < kTileLanes; ++f) rows[row * kTileLanes + f] = 0;
  }
}

// Computes the spectrum of the tile once more, in planes.
template <typename T, int kLanes, int kVectors, bool kProduct>
void recompute_spectrum(const TilePlan<T>& plan, const AdjointArgs<T>& args,
                        const AdjointLayout<T>& layout, T* hops) {
  using V = Vec<T, kLanes>;
  T* const transform = hops + layout.transform;
  T* const spectrum = hops + layout.spectrum;
  TileArgs<T> gather{};
  gather.samples = args.samples;
  gather.hop_stride = args.hop_stride;
  fill_hop_matrix<V>(plan, gather, hops);
  if constexpr (kProduct) {
    rows_from_product<RowOp::kStft, kVectors, V>(plan, hops, spectrum, kLanes * kVectors);
  } else if (plan.num_passes > 0) {
    first_pass<V>(hops, plan, transform);
    middle_passes<V>(plan, gather, transform);
    rows_from_own_transform<RowOp::kStft, V>(plan, transform, spectrum, kLanes);
  } else {
    fallback_transform<V>(hops, plan, transform, hops + layout.scratch);
    rows_from_fallback<RowOp::kStft, V>(plan, transform, spectrum, kLanes);
  }
}

// What the row of a bin hands on, but for the direction in which its spectrum grows.
template <RowOp kOp, typename V>
SPECFAST_INLINE V radial_gradient(const TilePlan<Scalar<V>>& plan, V row, V power) {
  if constexpr (kOp != RowOp::kPowerGeneral) {
    return row;
  } else {
    using S = Scalar<V>;
    constexpr S kInfinity = S(__builtin_inf());
    const V slope = S(2 * plan.half_exponent) * raised(power, plan.half_exponent - 0.5);
    return ((slope == kInfinity) | (slope == -kInfinity)) ? V{} : row * slope;
  }
}

// Gradient of one bin: re and im become it. Divided first and multiplied then: a small power makes
// quotients that only the product with as small a value brings back into range.
template <RowOp kOp, typename V>
SPECFAST_INLINE void bin_gradient(const TilePlan<Scalar<V>>& plan, V row, bool edge, V& re, V& im) {
  using S = Scalar<V>;
  if constexpr (kOp == RowOp::kPsd || kOp == RowOp::kPowerSquare) {
    const V twice = row + row;
    const V slope = kOp == RowOp::kPsd && !edge ? twice + twice : twice;
    re = slope * re;
    im = slope * im;
  } else {
    const V power = madd(re, re, im * im);
    constexpr bool kHasFloor = kOp == RowOp::kLog || kOp == RowOp::kMagnitude;
    const S floor =
        kHasFloor && plan.power_floor > kSmallestNormal<S> ? plan.power_floor : kSmallestNormal<S>;
    constexpr bool kByPower = kOp == RowOp::kLog || kOp == RowOp::kAngle;
    const V inverse = S(1) / (kByPower ? power : square_root(power));
    const V slope = radial_gradient<kOp>(plan, row, power);
    const V along_re = power <= floor ? V{} : slope * (re * inverse);
    const V along_im = power <= floor ? V{} : slope * (im * inverse);
    re = kOp == RowOp::kAngle ? -along_im : along_re;
    im = kOp == RowOp::kAngle ? along_re : along_im;
  }
}

// The spectrum in planes becomes its gradient.
template <RowOp kOp, typename V>
void spectrum_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* rows, int64_t lanes,
                       Scalar<V>* spectrum) {
  Scalar<V>* const imag = spectrum + plan.num_bins * lanes;
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
    const bool edge = bin == 0 || 2 * bin == plan.dft_length;
    for (int64_t at = bin * lanes; at < (bin + 1) * lanes; at += kLanesOf<V>) {
      V re = load<V>(spectrum + at), im = load<V>(imag + at);
      bin_gradient<kOp>(plan, load<V>(rows + at), edge, re, im);
      store(spectrum + at, re);
      store(imag + at, im);
    }
  }
}

// Gradient of the band energies, in place of that of the levels.
template <typename V>
void level_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* energies, Scalar<V>* bands) {
  using S = Scalar<V>;
  if (plan.level_op != LevelOp::kDecibel) return;
  constexpr S kSmallestEnergy = 16 * kSmallestNormal<S>;  // above it the slope is finite
  const S floor = plan.min_power > kSmallestEnergy ? plan.min_power : kSmallestEnergy;
  for (int64_t at = 0; at < plan.num_bands * kLanesOf<V>; at += kLanesOf<V>) {
    const V energy = load<V>(energies + at);
    const V slope = S(4.34294481903251827651128918916605082L) / energy;
    store(bands + at, energy <= floor ? V{} : load<V>(bands + at) * slope);
  }
}

// The same for a filterbank: `bands` is the gradient of the output rows, and is overwritten.
template <RowOp kOp, typename V>
void mel_spectrum_gradient(const TilePlan<Scalar<V>>& plan, Scalar<V>* bands, Scalar<V>* power,
                           Scalar<V>* energies, Scalar<V>* spectrum) {
  constexpr int64_t kStep = kLanesOf<V>;
  Scalar<V>* const imag = spectrum + plan.num_bins * kStep;
  const RowWriter<kOp, V> writer{plan, nullptr, 0};
  for (int64_t at = 0; at < plan.num_bins * kStep; at += kStep) {
    const V re = load<V>(spectrum + at), im = load<V>(imag + at);
    store(power + at, writer.of_power(madd(re, re, im * im), false));
  }
  sum_bands<V>(plan, power, energies, energies, kStep);
  level_gradient<V>(plan, energies, bands);
  int64_t bin = 0;
  const auto clear_until = [&](int64_t end) {
    for (; bin < end; ++bin) {
      store(spectrum + bin * kStep, V{});
      store(imag + bin * kStep, V{});
    }
  };
  clear_until(plan.interval_begin[0]);
  for (int64_t interval = 0; interval <= plan.num_bands; ++interval) {
    const V rising = interval < plan.num_bands ? load<V>(bands + interval * kStep) : V{};
    const V falling = interval > 0 ? load<V>(bands + (interval - 1) * kStep) : V{};
    for (; bin < plan.interval_begin[interval + 1]; ++bin) {
      const Scalar<V>* const weights = plan.mel_weights + 2 * bin;
      const V row = madd(rising, broadcast<V>(weights[0]), falling * broadcast<V>(weights[1]));
      V re = load<V>(spectrum + bin * kStep), im = load<V>(imag + bin * kStep);
      bin_gradient<kOp>(plan, row, false, re, im);
      store(spectrum + bin * kStep, re);
      store(imag + bin * kStep, im);
    }
  }
  clear_until(plan.num_bins);
}

// The adjoint of the transform; `spectrum` holds the planes that the mode has.
template <typename V>
void add_by_inverse(const TilePlan<Scalar<V>>& plan, const AdjointLayout<Scalar<V>>& layout,
                    Scalar<V>* hops) {
  const Scalar<V>* const planes = hops + layout.spectrum;
  SpectrumPlanes<V> gradient{planes, planes + plan.num_bins * kLanesOf<V>};
  if (plan.spectrum_op == SpectrumOp::kReal) gradient.imag = nullptr;
  if (plan.spectrum_op == SpectrumOp::kImag) gradient = {nullptr, planes};
  if (plan.num_passes > 0) {
    add_by_own_inverse<V>(plan, gradient, hops + layout.transform, hops);
  } else {
    add_by_fallback_inverse<V>(plan, gradient, hops + layout.transform, hops + layout.scratch,
                               hops);
  }
}

// The adjoint of the product is the product with the kernels transposed.
template <int kVectors, typename V>
void add_by_product(const TilePlan<Scalar<V>>& plan, const Scalar<V>* transposed,
                    const Scalar<V>* spectrum, Scalar<V>* hops) {
  constexpr int64_t kTileLanes = kLanesOf<V> * kVectors;
  const bool one_kernel =
      plan.spectrum_op == SpectrumOp::kReal || plan.spectrum_op == SpectrumOp::kImag;
  const int64_t num_rows = plan.num_bins * (one_kernel ? 1 : 2);
  for (int64_t first = 0; first < plan.frame_length; first += kProductRows) {
    V sums[kProductRows][kVectors];
    multiply_rows<kVectors>(
        transposed + first * num_rows, kProductRows, num_rows,
        [spectrum](int64_t row) { return spectrum + row * kTileLanes; }, sums);
    for (int64_t i = 0; i < kProductRows && first + i < plan.frame_length; ++i) {
      for (int v = 0; v < kVectors; ++v)
        add_sample<V>(plan, first + i, v * kLanesOf<V>, sums[i][v], hops);
    }
  }
}

// The hop matrix back to hops in order: [num_frames + overlapping hops][hop_rows].
template <typename T>
void store_hops(const TilePlan<T>& plan, const AdjointArgs<T>& args, const T* hops) {
  const int64_t whole = plan.hop_rows - plan.hop_rows % kGroup<T>;
  copy_transposed(hops, plan.hop_columns, whole, args.num_hops, args.hops, plan.hop_rows);
  for (int64_t row = whole; row < plan.hop_rows; ++row) {
    for (int64_t hop = 0; hop < args.num_hops; ++hop)
      args.hops[hop * plan.hop_rows + row] = hops[row * plan.hop_columns + hop];
  }
}

template <typename V, int... kOps>
auto select_spectrum_gradient(std::integer_sequence<int, kOps...>, int op) {
  static constexpr decltype(&spectrum_gradient<RowOp::kAngle, V>) kFunctions[] = {
      spectrum_gradient<RowOp(kOps + int(RowOp::kAngle)), V>...};
  return kFunctions[op - int(RowOp::kAngle)];
}

template <typename V>
auto select_mel_gradient(RowOp op) {
  return op == RowOp::kPowerSquare     ? mel_spectrum_gradient<RowOp::kPowerSquare, V>
         : op == RowOp::kPowerIdentity ? mel_spectrum_gradient<RowOp::kPowerIdentity, V>
                                       : mel_spectrum_gradient<RowOp::kPowerGeneral, V>;
}

// One tile, of kVectors vectors of frames.
template <typename T, int kLanes, int kVectors, bool kProduct>
void run_adjoint(const TilePlan<T>& plan, const AdjointArgs<T>& args) {
  using V = Vec<T, kLanes>;
  constexpr int64_t kTileLanes = kLanes * kVectors;
  const AdjointLayout<T> layout(plan, kTileLanes);
  T* const hops = static_cast<T*>(args.workspace);
  T* const spectrum = hops + layout.spectrum;
  T* const cotangent = hops + layout.cotangent;
  const int64_t num_rows = plan.num_output_rows;

  if (is_linear(plan.spectrum_op)) {
    load_rows<T, kTileLanes>(args, num_rows, spectrum);
  } else {
    load_rows<T, kTileLanes>(args, num_rows, cotangent);
    if (args.kept) {
      __builtin_memcpy(spectrum, args.kept, size_t(2 * plan.num_bins * kTileLanes) * sizeof(T));
    } else {
      recompute_spectrum<T, kLanes, kVectors, kProduct>(plan, args, layout, hops);
    }
    clear_idle_lanes<T, kTileLanes>(args.num_frames, 2 * plan.num_bins, spectrum);
    if (plan.num_bands == 0) {
      constexpr int kNumOps = int(RowOp::kPsd) - int(RowOp::kAngle) + 1;
      select_spectrum_gradient<V>(std::make_integer_sequence<int, kNumOps>(),
                                  int(plan.spectrum_op))(plan, cotangent, kTileLanes, spectrum);
    } else if constexpr (!kProduct) {
      select_mel_gradient<V>(row_op_of(plan))(plan, cotangent, hops + layout.power,
                                              hops + layout.bands, spectrum);
    }
  }
  if (args.spectrum) {
    const int64_t used = is_linear(plan.spectrum_op) ? num_rows : 2 * plan.num_bins;
    __builtin_memset(spectrum + used * kTileLanes, 0,
                     size_t((layout.num_spectrum_rows - used) * kTileLanes) * sizeof(T));
    T* to = args.spectrum;
    for (int64_t row = 0; row < used; row += kOuterColumns<T>, to += args.spectrum_stride) {
      copy_transposed(spectrum + row * kTileLanes, kTileLanes, kOuterColumns<T>, args.num_frames,
                      to, kOuterColumns<T>);
    }
  }
  if (args.hops) {
    __builtin_memset(hops, 0, size_t(plan.hop_rows * plan.hop_columns) * sizeof(T));
    if constexpr (kProduct) {
      add_by_product<kVectors, V>(plan, args.transposed, spectrum, hops);
    } else {
      add_by_inverse<V>(plan, layout, hops);
    }
    store_hops(plan, args, hops);
  }
}

// Adds, to sums[n * kOuterColumns + c], the sum over frames f of sample n of frame f times
// spectrum[f * kOuterColumns + c].
template <typename T>
void add_outer(const T* samples, int64_t hop_stride, int64_t frame_length, const T* spectrum,
               int64_t num_frames, T* sums) {
  using V = Widest<T>;
  for (int64_t first = 0; first < frame_length; first += kProductRows) {
    V block[kProductRows][2];
    multiply_rows<2>(
        samples + first, hop_stride, num_frames,
        [spectrum](int64_t frame) { return spectrum + frame * kOuterColumns<T>; }, block);
    for (int64_t i = 0; i < kProductRows && first + i < frame_length; ++i) {
      for (int v = 0; v < 2; ++v) {
        T* const at = sums + (first + i) * kOuterColumns<T> + v * kLanesOf<V>;
        store_unaligned(at, load_unaligned<V>(at) + block[i][v]);
      }
    }
  }
}
