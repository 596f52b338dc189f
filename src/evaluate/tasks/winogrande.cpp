// Winogrande: Sakaguchi et al. (arXiv 1907.10641), by partial evaluation: how likely is the rest of
// the sentence after each option (Trinh and Le, arXiv 1806.02847)?
#include "evaluate/judge.h"
#include "evaluate/registry.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

Asked ask_winogrande(const Document& document) {
  const std::string sentence = document.text("sentence");
  const std::size_t blank = sentence.find('_');
  const std::string answer = document.text("answer");
  if (blank == std::string::npos) {
    document.refuse("sentence", "a sentence with '_' in place of an option");
  }
  if (answer != "1" && answer != "2") {
    document.refuse("answer", "\"1\" or \"2\"");
  }
  const std::string before = sentence.substr(0, blank);
  const std::string after = jinja::strip(sentence.substr(blank + 1), {}, true, true);
  return {.prompts = {before + document.text("option1"), before + document.text("option2")},
          .choices = {after},
          .gold = answer == "1" ? 0 : 1,
          .answer = after};
}

}  // namespace

std::vector<TaskInfo> winogrande_tasks() {
  return {{.name = "winogrande",
           .summary = "which of two things a sentence speaks of",
           .data = {.dataset = "allenai/winogrande",
                    .config = "winogrande_xl",
                    .split = "validation",
                    .example_split = "train",
                    .columns = {"sentence", "option1", "option2", "answer"}},
           .draws_one_more = true,
           .ask = ask_winogrande,
           .metrics = {{"acc"}},
           .judge = judge_choices}};
}

}  // namespace lmpo
