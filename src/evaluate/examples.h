// The examples that stand before a document: few-shot prompting.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/python_random.h"
#include "evaluate/registry.h"
#include "evaluate/task.h"

namespace lmpo {

// Draws as the harness does, so that the same seed gives the same examples. Documents must be asked
// for in order, each once. Not thread-safe.
class ExampleSource {
 public:
  // `pool`: where examples come from. The generator may have been used before. UserError if the
  // pool has too few.
  ExampleSource(const TaskInfo& task, std::int64_t count, std::vector<Document> pool,
                PythonRandom random);

  // Of the next document, in their order.
  std::vector<const Document*> next(const Document& document);
  std::int64_t count() const { return count_; }

 private:
  std::vector<const Document*> take(const std::vector<std::size_t>& indices) const;

  const TaskInfo& task_;
  std::int64_t count_;
  std::vector<Document> pool_;
  PythonRandom random_;
};

}  // namespace lmpo
