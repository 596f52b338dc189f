#include "example/measure.h"

#include <fmt/format.h>

#include "data/dataset.h"
#include "generate/generator.h"
#include "text/text_model.h"
#include "train/scorer.h"

namespace lmpo {
namespace {

void measure_answers(const fs::path& folder, const std::vector<Instruction>& instructions,
                     const TextModel& text, Measured& measured) {
  const Tokenizer& tokenizer = text.tokenizer;
  std::vector<std::vector<TokenId>> prompts;
  for (const Instruction& instruction : instructions) {
    const ordered_json messages =
        ordered_json::array({{{"role", "user"}, {"content", instruction.text()}}});
    prompts.push_back(tokenizer.encode(text.render(messages, true, instruction.text()), false));
  }
  GenerationOptions options;
  options.sampling.temperature = 0;
  options.max_new_tokens = 48;
  options.batch_size = 64;
  options.stop_ids = {tokenizer.eos_id().value()};
  Generator generator(folder);
  const auto count = static_cast<double>(instructions.size());
  generator.generate(prompts, options, [&](const Completion& completion) {
    const std::string answer = tokenizer.decode(completion.tokens, true);
    const Instruction& asked = instructions[static_cast<std::size_t>(completion.prompt)];
    measured.right += (is_right(asked, answer) ? 1 : 0) / count;
    measured.answer_tokens += static_cast<double>(completion.tokens.size()) / count;
  });
}

}  // namespace

Measured measure(const fs::path& folder, const std::vector<Instruction>& instructions,
                 const fs::path& preferences) {
  const TextModel text = TextModel::load(folder);
  Measured measured;
  measure_answers(folder, instructions, text, measured);

  const Dataset pairs =
      load_dataset({preferences}, text.tokenizer, text.chat_template(), DataOptions{});
  Scorer scorer(folder, Dtype::f32);
  const auto count = static_cast<double>(pairs.trees.size());
  scorer.score(pairs.trees, {.micro_batch = 64, .max_tokens = 0},
               [&](std::size_t index, std::span<const double> sums) {
                 const auto& sequences = pairs.trees[index].sequences;
                 const double chosen = sums[0] / sequences[0].scored_tokens();
                 const double rejected = sums[1] / sequences[1].scored_tokens();
                 measured.reward_accuracy += (chosen > rejected ? 1 : 0) / count;
               });
  return measured;
}

std::string measured_table(const std::vector<std::pair<std::string, Measured>>& rows) {
  std::string text = fmt::format("{:<8} {:>14} {:>18} {:>17}\n", "model", "right answers",
                                 "tokens an answer", "reward accuracy");
  for (const auto& [name, measured] : rows) {
    text += fmt::format("{:<8} {:>13.1f}% {:>18.1f} {:>16.1f}%\n", name, 100 * measured.right,
                        measured.answer_tokens, 100 * measured.reward_accuracy);
  }
  return text;
}

}  // namespace lmpo
