// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/scope.h"

#include "engine/base/error.h"
#include "engine/run/deltas.h"
#include "engine/run/normalization.h"
#include "engine/run/pcen.h"
#include "engine/run/top_db.h"

namespace specfast::engine {
namespace {

void refuse_maximum(const specfast_stream_config& stream) {
  if (stream.max_rule == SPECFAST_MAX_NONE) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "max_rule must be SPECFAST_MAX_NONE for a plan without top_db, received max_rule=" +
                  std::to_string(stream.max_rule));
}

}  // namespace

template <typename T>
std::vector<const ScopeOperation<T>*> scope_operations(const Config& config) {
  static const ScopeOperation<T>* const kOperations[] = {&top_db<T>(), &pcen<T>(),
                                                         &normalization<T>(), &deltas<T>()};
  std::vector<const ScopeOperation<T>*> operations;
  for (const ScopeOperation<T>* operation : kOperations)
    if (operation->applies(config)) operations.push_back(operation);
  return operations;
}

template std::vector<const ScopeOperation<float>*> scope_operations(const Config&);
template std::vector<const ScopeOperation<double>*> scope_operations(const Config&);

template <typename T>
void ScopeOperation<T>::check_stream(const Config&, const specfast_stream_config& stream) const {
  refuse_maximum(stream);
}

template <typename T>
void ScopeOperation<T>::pull_back(const Plan&, const Job&, const specfast_gradient&, int,
                                  std::vector<T>&) const {}

template class ScopeOperation<float>;
template class ScopeOperation<double>;

void check_scope_of_stream(const Config& config, const specfast_stream_config& stream) {
  with_precision(config.precision, [&](auto zero) {
    const auto operations = scope_operations<decltype(zero)>(config);
    for (const auto* operation : operations) operation->check_stream(config, stream);
    if (operations.empty()) refuse_maximum(stream);
  });
}

}  // namespace specfast::engine
