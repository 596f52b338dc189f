// A line of a samples file. Thread-safe.
#pragma once

#include "base/json.h"
#include "evaluate/evaluation.h"

namespace lmpo {

// Document `index` of a task, as one of its filters took it.
ordered_json sample_of(const TaskResult& task, std::size_t index, std::size_t filter,
                       const PromptStyle& style);

}  // namespace lmpo
