#include "evaluate/prompt.h"

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

constexpr std::string_view kBetweenExamples = "\n\n";

// A turn, and what follows it where turns are joined to one text.
struct Turn {
  std::string role;
  std::string content;
  std::string_view delimiter = "";
};

bool begins_or_ends_with_space(std::string_view before, std::string_view after) {
  return jinja::is_python_space(before.substr(previous_character(before, before.size()))) ||
         jinja::is_python_space(after.substr(0, utf8_size(after.front())));
}

std::string system_text(const std::string& instruction, const std::string& description) {
  if (instruction.empty() || description.empty()) {
    return instruction + description;
  }
  return instruction +
         std::string(begins_or_ends_with_space(instruction, description) ? "" : kBetweenExamples) +
         description;
}

std::string joined(std::span<const Turn> turns) {
  std::string text;
  for (const Turn& turn : turns) {
    text += turn.content;
    text += turn.delimiter;
  }
  return text;
}

ordered_json messages_of(std::span<const Turn> turns, bool examples_as_turns) {
  ordered_json messages = ordered_json::array();
  const auto add = [&](const std::string& role, std::string content) {
    messages.push_back({{"role", role}, {"content", std::move(content)}});
  };
  if (!examples_as_turns) {
    if (turns.front().role == "system") {
      add("system", turns.front().content);
      turns = turns.subspan(1);
    }
    add("user", joined(turns));
    return messages;
  }
  for (const Turn& turn : turns) {
    add(turn.role, turn.content);
  }
  return messages;
}

std::string rendered(const TaskInfo& task, ordered_json messages, const TextModel& text) {
  try {
    return text.render(messages, true, task.name);
  } catch (const UserError& error) {
    if (messages.front()["role"] != "system") {
      throw;
    }
    static const bool warned = [&] {
      log_warning("{}; the system turn is left out", error.what());
      return true;
    }();
    static_cast<void>(warned);
    messages.erase(0);
    return text.render(messages, true, task.name);
  }
}

}  // namespace

std::vector<std::string> contexts(const TaskInfo& task, const Asked& asked,
                                  std::span<const Asked> examples, const PromptStyle& style,
                                  const TextModel& text) {
  std::vector<Turn> turns;
  if (std::string system = system_text(style.system_instruction, task.description);
      !system.empty()) {
    turns.push_back({"system", std::move(system)});
  }
  for (const Asked& example : examples) {
    turns.push_back({"user", example.example_prompt(), " "});
    turns.push_back({"assistant", example.answer, kBetweenExamples});
  }
  std::vector<std::string> texts;
  for (const std::string& prompt : asked.prompts) {
    turns.push_back({"user", prompt});
    texts.push_back(style.chat_template
                        ? rendered(task, messages_of(turns, style.examples_as_turns), text)
                        : joined(turns));
    turns.pop_back();
  }
  return texts;
}

}  // namespace lmpo
