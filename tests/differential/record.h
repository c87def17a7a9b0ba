// SPDX-License-Identifier: BSD-3-Clause
// What one machine computed and how far another may be from it, in a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compute.h"

namespace differential {

// The results of one problem, and for each value its unit: rounding may make a difference of four.
struct Record {
  std::vector<Result> results;
  std::vector<std::vector<double>> units;
};

// A file holds, little-endian: kMagic; the name of the instruction set; seed and count of the
// problems, 64 bits each; and for each problem the number of results and, for each of them, name,
// frame_size, and the values and their units, float64. Names and arrays follow their length, as all
// numbers of 64 bits.
constexpr char kMagic[] = "specfast differential 1";
struct Recording {
  std::string isa;
  std::uint64_t seed = 0;
  std::vector<Record> records;
};

void write(const std::string& path, const Recording& recording);
// Throws std::runtime_error for a file that is not whole.
Recording read(const std::string& path);

// Computes a problem and the units of its values: eps times the peak of the frame, or times a
// larger number that the last steps add up (levels in a DCT, a mean, an offset, PCEN's bias), once
// for each iteration. Where a step is not linear or divides, what an error of that size becomes by
// it comes on top: of 32 changes of each number that is given, up or down by eps, twice the largest
// effect. Tables must agree to the bit.
Record record(const Problem& problem);

double eps_of(const Problem& problem);
// The distance of two values; of angles, on the circle.
double distance(const Problem& problem, double a, double b);

}  // namespace differential
