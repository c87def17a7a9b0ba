// SPDX-License-Identifier: BSD-3-Clause
// Samples to the hop matrix of one tile. Included inside the namespace of one ISA.
//
// Overlapping frames share their samples: each hop is transposed once, whatever the overlap, and frame f of the tile finds its
// sample q*hop + r at row r, column f + q.

template <typename T>
void fill_hop_matrix(const TilePlan<T>& plan, const TileArgs<T>& args, T* hops) {
  constexpr int kSide = kGroup<T>;
  const int64_t whole_rows = plan.hop_rows - plan.hop_rows % kSide;
  for (int64_t column = 0; column < plan.hop_columns; column += kSide) {
    const T* samples = args.samples + column * args.hop_stride;
    T* target = hops + column;
    for (int64_t row = 0; row < whole_rows; row += kSide) {
      Group<T> block[kSide];
      for (int i = 0; i < kSide; ++i) block[i] = load_unaligned<Group<T>>(samples + i * args.hop_stride + row);
      transpose(block);
      for (int i = 0; i < kSide; ++i) store(target + (row + i) * plan.hop_columns, block[i]);
    }
    for (int64_t row = whole_rows; row < plan.hop_rows; ++row) {
      for (int i = 0; i < kSide; ++i) target[row * plan.hop_columns + i] = samples[i * args.hop_stride + row];
    }
  }
}
