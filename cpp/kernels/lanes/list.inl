// SPDX-License-Identifier: BSD-3-Clause
// Lists of types, and tables of functions made from them.
#pragma once

#include "kernels/lanes/isa.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename... Types>
struct List {};

// Returns the function that Table::of<Type>() names for the type at a place of the list.
template <typename Table, typename... Types>
SPECFAST_INLINE auto function_at(int place, List<Types...>) {
  static constexpr typename Table::Function kFunctions[] = {Table::template of<Types>()...};
  return kFunctions[place];
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
