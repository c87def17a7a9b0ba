// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/scope.h"

#include "engine/base/error.h"
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
const ScopeOperation<T>* scope_operation(const Config& config) noexcept {
  static const ScopeOperation<T>* const kOperations[] = {&top_db<T>()};
  for (const ScopeOperation<T>* operation : kOperations)
    if (operation->applies(config)) return operation;
  return nullptr;
}

template const ScopeOperation<float>* scope_operation(const Config&) noexcept;
template const ScopeOperation<double>* scope_operation(const Config&) noexcept;

template <typename T>
void ScopeOperation<T>::check_stream(const specfast_stream_config& config) const {
  refuse_maximum(config);
}

template class ScopeOperation<float>;
template class ScopeOperation<double>;

void check_scope_of_stream(const Config& config, const specfast_stream_config& stream) {
  with_precision(config.precision, [&](auto zero) {
    const ScopeOperation<decltype(zero)>* const scope = scope_operation<decltype(zero)>(config);
    scope ? scope->check_stream(stream) : refuse_maximum(stream);
  });
}

}  // namespace specfast::engine
