#include "data/row_prompt.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr std::string_view kInput = "input";
constexpr std::array<const char*, 4> kQuestionKeys = {"instruction", "question", "query", "input"};

// Alpaca's earlier exchanges: a list of [instruction, response].
Turns history(const RowFields& fields) {
  Turns turns;
  if (!fields.has("history")) {
    return turns;
  }
  const ordered_json& exchanges = fields.value("history");
  const auto is_exchange = [](const ordered_json& value) {
    return value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string();
  };
  if (!exchanges.is_array() || !std::ranges::all_of(exchanges, is_exchange)) {
    user_error("{}: key 'history': a list of [instruction, response] was expected",
               fields.location());
  }
  for (const ordered_json& exchange : exchanges) {
    turns.push_back({"user", exchange[0].get<std::string>()});
    turns.push_back({"assistant", exchange[1].get<std::string>()});
  }
  return turns;
}

}  // namespace

std::optional<Turns> context_turns(const RowFields& fields, const MessageReader& reader) {
  for (const std::string_view key : {"prompt", "messages", "conversations"}) {
    if (fields.is_list(key)) {
      return reader.list(fields.value(key), key);
    }
  }
  require_one_prompt(fields);
  if (fields.has("prompt")) {
    return Turns{{"user", fields.text("prompt")}};
  }
  if (fields.has("messages") || fields.has("conversations")) {
    const char* key = fields.has("messages") ? "messages" : "conversations";
    return reader.list(fields.value(key), key);  // not a list: throws
  }
  const char* question = question_key(fields);
  if (question == nullptr) {
    return std::nullopt;
  }
  Turns turns = history(fields);
  std::string asked = fields.text(question);
  if (const std::string input = fields.has("instruction") ? fields.text_or_empty("input") : "";
      !input.empty()) {
    asked += "\n" + input;
  }
  turns.push_back({"user", std::move(asked)});
  return turns;
}

const char* question_key(const RowFields& fields) {
  const auto found =
      std::ranges::find_if(kQuestionKeys, [&](const char* key) { return fields.has(key); });
  return found == kQuestionKeys.end() ? nullptr : *found;
}

void require_one_prompt(const RowFields& fields) {
  const char* first = fields.is_text("prompt") ? "prompt" : nullptr;
  for (const char* key : kQuestionKeys) {
    if (!fields.is_text(key) || (key == kInput && first != nullptr)) {
      continue;
    }
    first = first == nullptr ? key : first;
    if (*fields.source().find(first) != *fields.source().find(key)) {
      user_error(
          "{}: the keys '{}' and '{}' could both be the prompt, and differ. Rename the one "
          "that lmpo should ignore, for example with 'columns: {{{}: unused}}' of the data set",
          fields.location(), first, key, key);
    }
    fields.mark_used(key);
  }
}

}  // namespace lmpo
