// Rows of tasks' data: every task must ask of any row, or refuse it.
#include <cstdint>

#include "base/error.h"
#include "evaluate/task_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lmpo;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ordered_json row = ordered_json::parse(text, nullptr, false);
  if (!row.is_object()) {
    return 0;
  }
  for (const Harness harness : {Harness::current, Harness::open_llm_v1}) {
    for (const TaskInfo& task : tasks(harness)) {
      try {
        std::vector<Document> documents = {Document(row, "row")};
        if (task.prepare) {
          task.prepare(documents);
        }
        for (const Document& document : documents) {
          const Asked asked = ask_document(task, document);
          LMPO_CHECK(!asked.prompts.empty());
          const std::vector<Reply> replies(
              std::max(asked.prompts.size(), asked.choices.size()),
              task.decoding ? Reply{.text = std::string(text)} : Reply{.logp = -1});
          task.judge(document, asked, replies);
        }
      } catch (const UserError&) {  // a row of another kind
      }
    }
  }
  return 0;
}
