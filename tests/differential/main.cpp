// SPDX-License-Identifier: BSD-3-Clause
// Compares instruction sets and machines with each other.
//
//     differential write FILE [COUNT [SEED]]   computes so many problems with the kernels that
//                                              SPECFAST_ISA chooses, and records the results
//     differential compare FILE                computes them here, and compares
//
// Problems are drawn and given numbers by integers alone, so that they are the same on every
// machine. A value may be four units from the recorded one: see record() in record.h.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "handles.h"
#include "record.h"

namespace differential {

std::vector<Result> compute(const Problem& problem, const Variant& variant) {
  const bool is_inverse = problem.kind == Kind::kInverse ||
                          problem.kind == Kind::kInverseGradient ||
                          problem.kind == Kind::kGriffinLim;
  if (variant.dtype == SPECFAST_FLOAT32)
    return is_inverse ? compute_inverse<float>(problem, variant)
                      : compute_forward<float>(problem, variant);
  return is_inverse ? compute_inverse<double>(problem, variant)
                    : compute_forward<double>(problem, variant);
}

namespace {

constexpr double kAllowedUnits = 4;
constexpr long kShownFailures = 5;

// The processor does not have the instruction set that SPECFAST_ISA asks for.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string isa_in_use() {
  Structure<specfast_build_info> info;
  const specfast_status status = specfast_get_build_info(&info);
  if (status == SPECFAST_E_UNAVAILABLE_ISA) throw Unavailable(specfast_last_error());
  check(status);
  return info.isa;
}

// What the comparisons of a group have found.
struct Tally {
  long num_problems = 0, num_values = 0, num_failures = 0;
  // Largest differences: in eps of the frame's peak, and in units.
  double peaks = 0, units = 0;

  void note(const Problem& problem, const Result& recorded, const std::vector<double>& units_of,
            const Result& found) {
    require(found.name == recorded.name && found.frame_size == recorded.frame_size &&
                found.values.size() == recorded.values.size(),
            "another shape than recorded: " + problem.describe());
    double worst = 0;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      const double difference = distance(problem, found.values[i], recorded.values[i]);
      const double of_unit = difference == 0 ? 0 : difference / units_of[i];
      // A NaN is a failure too.
      worst = of_unit <= worst ? worst : of_unit;
    }
    num_values += long(found.values.size());
    units = worst <= units ? units : worst;
    note_peaks(problem, recorded, found);
    if (worst <= kAllowedUnits) return;
    if (++num_failures <= kShownFailures)
      std::printf("differs: %g units in %s; %s\n", worst, found.name.c_str(),
                  problem.describe().c_str());
  }

 private:
  void note_peaks(const Problem& problem, const Result& recorded, const Result& found) {
    const auto size = std::size_t(found.frame_size);
    for (std::size_t first = 0; first < found.values.size(); first += size) {
      double peak = 0, worst = 0;
      for (std::size_t i = first; i < first + size; ++i) {
        peak = std::max(peak, std::abs(recorded.values[i]));
        worst = std::max(worst, distance(problem, found.values[i], recorded.values[i]));
      }
      if (worst > 0) peaks = std::max(peaks, worst / (eps_of(problem) * peak));
    }
  }
};

int write_recording(const std::string& path, std::uint64_t seed, std::int64_t count) {
  Recording recording{isa_in_use(), seed, {}};
  for (std::int64_t index = 0; index < count; ++index)
    recording.records.push_back(record(draw(seed, index)));
  write(path, recording);
  std::printf("%lld configurations recorded on %s\n", static_cast<long long>(count),
              recording.isa.c_str());
  return 0;
}

int compare_with(const std::string& path) {
  const std::string isa = isa_in_use();
  const Recording recording = read(path);
  require(!recording.records.empty(), path + " holds no problem");
  // Each group twice: float32 and float64.
  std::vector<Tally> tallies(2 * std::size_t(num_groups()));
  for (std::size_t index = 0; index < recording.records.size(); ++index) {
    const Record& record = recording.records[index];
    const Problem problem = draw(recording.seed, std::int64_t(index));
    Tally& tally = tallies[2 * (index % std::size_t(num_groups())) +
                           (problem.config.dtype == SPECFAST_FLOAT64)];
    ++tally.num_problems;
    try {
      const std::vector<Result> found = compute(problem, {problem.config.dtype});
      require(found.size() == record.results.size(), "other results: " + problem.describe());
      for (std::size_t part = 0; part < found.size(); ++part)
        tally.note(problem, record.results[part], record.units[part], found[part]);
    } catch (const std::runtime_error& error) {
      ++tally.num_failures;
      std::printf("%s\n", error.what());
    }
  }

  std::printf(
      "%s against %s: largest difference in eps of the frame's peak and in units, of which "
      "%g are allowed\n",
      isa.c_str(), recording.isa.c_str(), kAllowedUnits);
  Tally sum;
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    const Tally& tally = tallies[i];
    if (tally.num_problems == 0) continue;
    std::printf("%-20s %s %5ld configurations %8ld values %10.3g eps %7.3g units%s\n",
                draw(recording.seed, std::int64_t(i / 2)).group.c_str(),
                i % 2 ? "float64" : "float32", tally.num_problems, tally.num_values, tally.peaks,
                tally.units, tally.num_failures ? "  TOO LARGE" : "");
    sum.num_problems += tally.num_problems;
    sum.num_values += tally.num_values;
    sum.num_failures += tally.num_failures;
  }
  std::printf("%ld configurations, %ld values, %ld results differ\n", sum.num_problems,
              sum.num_values, sum.num_failures);
  return sum.num_failures > 0;
}

}  // namespace
}  // namespace differential

int main(int argc, char** argv) try {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "write" && argc >= 3 && argc <= 5) {
    const std::int64_t count = argc > 3 ? std::atoll(argv[3]) : 850;
    return differential::write_recording(argv[2],
                                         argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1, count);
  }
  if (command == "compare" && argc == 3) return differential::compare_with(argv[2]);
  std::fprintf(stderr, "differential write FILE [COUNT [SEED]] | compare FILE\n");
  return 2;
} catch (const differential::Unavailable& error) {
  std::printf("%s\n", error.what());
  return 77;  // ctest: skipped
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
