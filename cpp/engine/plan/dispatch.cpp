// SPDX-License-Identifier: BSD-3-Clause
#include "engine/plan/dispatch.h"

#include <cstdlib>
#include <vector>

#include "engine/base/error.h"
#include "engine/spec/config.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define SPECFAST_DECLARE_KERNELS(isa) \
  extern "C" const specfast::engine::KernelTable specfast_kernels_##isa
#if defined(SPECFAST_HAVE_AVX512)
SPECFAST_DECLARE_KERNELS(avx512);
#endif
#if defined(SPECFAST_HAVE_AVX2)
SPECFAST_DECLARE_KERNELS(avx2);
#endif
#if defined(SPECFAST_HAVE_BASELINE)
SPECFAST_DECLARE_KERNELS(baseline);
#endif
#if defined(SPECFAST_HAVE_NEON)
SPECFAST_DECLARE_KERNELS(neon);
#endif
#if defined(SPECFAST_HAVE_GENERIC)
SPECFAST_DECLARE_KERNELS(generic);
#endif

namespace specfast::engine {
namespace {

#if defined(__x86_64__)

struct CpuidRegisters {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidRegisters cpuid(unsigned leaf) {
  CpuidRegisters r;
  __get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

// The register state that the operating system saves (XCR0); the processor alone does not make AVX
// usable.
bool system_saves(unsigned mask) {
  constexpr unsigned kOsxsave = 1u << 27;
  if (!(cpuid(1).ecx & kOsxsave)) return false;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & mask) == mask;
}

bool has_avx2() {
  constexpr unsigned kSseAndAvxState = 0x6;
  return system_saves(kSseAndAvxState) && (cpuid(1).ecx & bit_FMA) && (cpuid(7).ebx & bit_AVX2);
}

[[maybe_unused]] bool has_avx512() {
  constexpr unsigned kAvx512State = 0xe6;
  constexpr unsigned kNeeded = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
  return has_avx2() && system_saves(kAvx512State) && (cpuid(7).ebx & kNeeded) == kNeeded;
}

#endif

std::vector<const KernelTable*> find_available() {
  std::vector<const KernelTable*> tables;
#if defined(SPECFAST_HAVE_AVX512)
  if (has_avx512()) tables.push_back(&specfast_kernels_avx512);
#endif
#if defined(SPECFAST_HAVE_AVX2)
  if (has_avx2()) tables.push_back(&specfast_kernels_avx2);
#endif
#if defined(SPECFAST_HAVE_BASELINE)
  tables.push_back(&specfast_kernels_baseline);
#endif
#if defined(SPECFAST_HAVE_NEON)
  tables.push_back(&specfast_kernels_neon);
#endif
#if defined(SPECFAST_HAVE_GENERIC)
  tables.push_back(&specfast_kernels_generic);
#endif
  return tables;
}

const std::vector<const KernelTable*>& available() {
  static const std::vector<const KernelTable*> tables = find_available();
  return tables;
}

const KernelTable& choose() {
  const char* const forced = std::getenv("SPECFAST_ISA");
  if (!forced || !*forced) return *available().front();
  for (const KernelTable* table : available()) {
    if (std::string(forced) == table->isa) return *table;
  }
  throw Error(SPECFAST_E_UNAVAILABLE_ISA, "SPECFAST_ISA must be one of " + available_isas() +
                                              " on this machine, received SPECFAST_ISA=" + forced);
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

const std::string& available_isas() {
  static const std::string names = [] {
    std::string joined;
    for (const KernelTable* table : available())
      joined += (joined.empty() ? "" : ",") + std::string(table->isa);
    return joined;
  }();
  return names;
}

}  // namespace specfast::engine
