// Perplexity of the user's own texts, measured as the harness measures WikiText's.
#include "evaluate/judge.h"
#include "evaluate/registry.h"

namespace lmpo {

std::vector<TaskInfo> perplexity_tasks() {
  return {
      {.name = "perplexity",
       .summary = "how well the model predicts texts of yours: a .txt file, or rows with 'text'",
       .version = "2.0",
       .data = {.dataset = "", .split = "test", .columns = {"text"}},
       .fixed_examples = true,
       .ask = [](const Document& document) { return Asked{.prompts = {document.text("text")}}; },
       .whole_text = true,
       .metrics = {{"word_perplexity", Aggregation::weighted_perplexity, false},
                   {"byte_perplexity", Aggregation::weighted_perplexity, false},
                   {"bits_per_byte", Aggregation::bits_per_byte, false}},
       .judge = judge_text}};
}

}  // namespace lmpo
