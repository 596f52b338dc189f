// IFEval: Zhou et al., "Instruction-Following Evaluation for Large Language Models" (arXiv
// 2311.07911).
#include "evaluate/registry.h"
#include "grade/instructions.h"

namespace lmpo {
namespace {

std::vector<Judgement> judge_ifeval(const Document& document, const Asked&,
                                    std::span<const Reply> replies) {
  const auto instructions = grade::read_instructions(json(document.row()), document.place());
  std::vector<double> strict;
  std::vector<double> loose;
  for (const grade::Followed& followed :
       grade::check_instructions(instructions, *replies[0].text)) {
    strict.push_back(followed.strict ? 1 : 0);
    loose.push_back(followed.loose ? 1 : 0);
  }
  const auto all = [](const std::vector<double>& parts) {
    return std::vector<double>{std::ranges::find(parts, 0.0) == parts.end() ? 1.0 : 0.0};
  };
  return {{.metrics = {{"prompt_level_strict_acc", all(strict)},
                       {"inst_level_strict_acc", strict},
                       {"prompt_level_loose_acc", all(loose)},
                       {"inst_level_loose_acc", loose}}}};
}

Asked ask_ifeval(const Document& document) {
  grade::read_instructions(json(document.row()), document.place());  // before the model answers
  return {.prompts = {document.text("prompt")}, .answer = "0"};
}

}  // namespace

std::vector<TaskInfo> ifeval_tasks() {
  return {{.name = "leaderboard_ifeval",
           .summary = "instructions whose following a program can check",
           .version = "3.0",
           .data = {.dataset = "wis-k/instruction-following-eval",
                    .split = "train",
                    .columns = {"key", "prompt", "instruction_id_list", "kwargs"}},
           .fixed_examples = true,
           .ask = ask_ifeval,
           .decoding = Decoding{.max_new_tokens = 1280},
           .metrics = {{"prompt_level_strict_acc"},
                       {"inst_level_strict_acc", Aggregation::mean_of_parts},
                       {"prompt_level_loose_acc"},
                       {"inst_level_loose_acc", Aggregation::mean_of_parts}},
           .judge = judge_ifeval}};
}

}  // namespace lmpo
