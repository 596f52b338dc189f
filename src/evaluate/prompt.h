// The text that a model reads before it answers: a task's description, examples, the document.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluate/task.h"
#include "text/text_model.h"

namespace lmpo {

struct PromptStyle {
  bool chat_template = false;
  bool examples_as_turns = true;  // with the template: a turn of each; else all in the user's turn
  std::string system_instruction = "";
};

// One text for each of asked.prompts. With the template the document ends in the header of the
// assistant's turn. UserError where the template refuses; a refusal of the system turn is a warning,
// and the turn is left out.
std::vector<std::string> contexts(const TaskInfo& task, const Asked& asked,
                                  std::span<const Asked> examples, const PromptStyle& style,
                                  const TextModel& text);

// Stands between a prompt and a choice.
inline std::string_view choice_delimiter(const PromptStyle& style) {
  return style.chat_template ? "" : " ";
}

}  // namespace lmpo
