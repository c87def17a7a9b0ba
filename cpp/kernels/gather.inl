// SPDX-License-Identifier: BSD-3-Clause
// Samples to the hop matrix of one tile. Included inside the namespace of one ISA.
//
// Overlapping frames share their samples: each hop is transposed once, whatever the overlap, and
// frame f of the tile finds its sample q*hop + r at row r, column f + q.

// Columns [column, column + lanes of V).
template <typename V>
SPECFAST_INLINE void fill_hop_columns(const TilePlan<Scalar<V>>& plan,
                                      const TileArgs<Scalar<V>>& args, int64_t column,
                                      Scalar<V>* hops) {
  using T = Scalar<V>;
  constexpr int kSide = kGroup<T>;
  const T* samples = args.samples + column * args.hop_stride;
  T* target = hops + column;
  const int64_t whole_rows = plan.hop_rows - plan.hop_rows % kSide;
  for (int64_t row = 0; row < whole_rows; row += kSide) {
    V block[kSide];
    for (int i = 0; i < kSide; ++i)
      block[i] = load_groups<V>(samples + i * args.hop_stride + row, args.hop_stride);
    transpose_groups<V>(block);
    for (int i = 0; i < kSide; ++i)
      store_unaligned(target + (row + i) * plan.hop_columns, block[i]);
  }
  for (int64_t row = whole_rows; row < plan.hop_rows; ++row) {
    for (int i = 0; i < kLanesOf<V>; ++i)
      target[row * plan.hop_columns + i] = samples[i * args.hop_stride + row];
  }
}

template <typename V>
void fill_hop_matrix(const TilePlan<Scalar<V>>& plan, const TileArgs<Scalar<V>>& args,
                     Scalar<V>* hops) {
  int64_t column = 0;
  for (; column + kLanesOf<V> <= plan.hop_columns; column += kLanesOf<V>)
    fill_hop_columns<V>(plan, args, column, hops);
  for (; column < plan.hop_columns; column += kGroup<Scalar<V>>) {
    fill_hop_columns<Group<Scalar<V>>>(plan, args, column, hops);
  }
}
