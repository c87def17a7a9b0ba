// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/twiddle.h"

#include <cstddef>

#include "engine/spec/elementary.h"

namespace specfast::engine {

std::vector<int64_t> factorize(int64_t num_points) {
  std::vector<int64_t> radices;
  if (num_points < 8 || num_points % 4 != 0) return radices;
  int64_t twos = 0, rest = num_points / 4;
  for (; rest % 2 == 0; rest /= 2) ++twos;
  // Radix 8 first: it shortens the blocks of the later passes fastest. 4 * 4 does more work a pass
  // than 8 * 2.
  const bool split_eight = twos % 3 == 1 && twos > 1;
  const int64_t eights = twos / 3 - (split_eight ? 1 : 0);
  radices.insert(radices.end(), std::size_t(eights), 8);
  for (twos -= 3 * eights; twos >= 2; twos -= 2) radices.push_back(4);
  for (; rest % 5 == 0; rest /= 5) radices.push_back(5);
  for (; rest % 3 == 0; rest /= 3) radices.push_back(3);
  if (twos == 1) radices.push_back(2);
  radices.push_back(4);
  if (rest != 1) radices.clear();
  return radices;
}

Turn turn(int64_t numerator, int64_t denominator) {
  // Work with eighths of a turn: 8 * numerator = octant * denominator + remainder.
  int64_t eighth = 8 * (numerator % denominator);
  const int64_t octant = eighth / denominator;
  int64_t remainder = eighth % denominator;
  if (octant % 2) remainder = denominator - remainder;
  const double angle = kPi / 4 * (double(remainder) / double(denominator));
  const double c = small_cosine(angle), s = small_sine(angle);
  switch (octant) {
    case 0:
      return {c, s};
    case 1:
      return {s, c};
    case 2:
      return {-s, c};
    case 3:
      return {-c, s};
    case 4:
      return {-c, -s};
    case 5:
      return {-s, -c};
    case 6:
      return {s, -c};
    default:
      return {c, -s};
  }
}

std::vector<uint32_t> output_places(const std::vector<int64_t>& radices, int64_t num_points) {
  std::vector<uint32_t> places(std::size_t(num_points), 0);
  for (int64_t k = 0; k < num_points; ++k) {
    int64_t rest = k, block = num_points, place = 0;
    for (int64_t radix : radices) {
      block /= radix;
      place += rest % radix * block;
      rest /= radix;
    }
    places[std::size_t(k)] = uint32_t(place);
  }
  return places;
}

}  // namespace specfast::engine
