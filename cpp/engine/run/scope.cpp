// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/scope.h"

#include "engine/base/error.h"
#include "engine/run/top_db.h"

namespace specfast::engine {

template <typename T>
const ScopeOperation<T>* scope_operation(const Config& config) noexcept {
  static const ScopeOperation<T>* const kOperations[] = {&top_db<T>()};
  for (const ScopeOperation<T>* operation : kOperations)
    if (operation->applies(config)) return operation;
  return nullptr;
}

template const ScopeOperation<float>* scope_operation(const Config&) noexcept;
template const ScopeOperation<double>* scope_operation(const Config&) noexcept;

void check_scope_of_stream(const Config& config, const specfast_stream_config& stream) {
  if (config.top_db_scope != TopDbScope::kNone) return check_top_db_of_stream(stream);
  if (stream.max_rule == SPECFAST_MAX_NONE) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "max_rule must be SPECFAST_MAX_NONE for a plan without top_db, received max_rule=" +
                  std::to_string(stream.max_rule));
}

}  // namespace specfast::engine
