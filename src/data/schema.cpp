#include "data/schema.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "data/row_fields.h"
#include "data/row_prompt.h"

namespace lmpo {
namespace {

constexpr std::string_view kPreference = "a preference";
constexpr std::string_view kPreferenceSchemas =
    "  prompt, chosen, rejected\n"
    "  chosen, rejected (the prompt is their common beginning)\n"
    "  conversations or messages, chosen, rejected\n"
    "  instruction (or question, query), chosen, rejected";
constexpr std::string_view kSftSchemas =
    "  messages or conversations\n"
    "  prompt, completion\n"
    "  instruction, output\n"
    "  text";

constexpr std::string_view kRankedSchemas =
    "  prompt, responses (the best first)\n"
    "  prompt, responses, scores";

bool is_blank(const Passage& passage) {
  return passage.text.find_first_not_of(" \t\r\n\v\f") == std::string::npos &&
         std::ranges::all_of(passage.turns,
                             [](const Message& message) { return is_blank(message); });
}

// The length in bytes of the longest common beginning; it never ends inside a UTF-8 sequence.
std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
  auto length =
      static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
  const auto continues = [](std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (length > 0 && (continues(a, length) || continues(b, length))) {
    --length;
  }
  return length;
}

bool starts_with(const Turns& turns, const Turns& beginning) {
  return turns.size() > beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), turns.begin());
}

// Whether both conversations begin with the prompt.
bool both_repeat(const Turns& prompt, const Turns& chosen, const Turns& rejected) {
  return starts_with(chosen, prompt) && starts_with(rejected, prompt);
}

std::size_t common_prefix(const Turns& a, const Turns& b) {
  const auto most = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                  a.begin());
}

// Reads one source row; every member throws UserError with the location.
class RowParser : RowFields {
 public:
  RowParser(const ordered_json& source, std::string_view location)
      : RowFields(source, location), reader_(location) {}

  // The row as its schema gives it, before any check of its content.
  Row preference() const {
    if (!has("chosen") || !has("rejected")) {
      for (const std::string_view key : {"chosen", "rejected"}) {
        if (source().contains(key) && !has(key)) {
          user_error("{}: '{}' is null; a text or a list of messages was expected", location(),
                     key);
        }
      }
      no_schema(kPreference, std::string(kPreferenceSchemas));
    }
    return is_text("chosen") && is_text("rejected") ? preference_of_texts()
                                                    : preference_of_messages();
  }

  std::variant<Row, DropReason> sft() const {
    if (has("chosen") && has("rejected")) {
      Row row = preference();
      row.responses.resize(1);
      return row;
    }
    if (has("prompt") && has("completion")) {
      return prompt_completion();
    }
    if (has("messages") || has("conversations")) {
      return whole_conversation(messages(has("messages") ? "messages" : "conversations"));
    }
    if (question_key(*this) != nullptr && has("output")) {
      return explicit_row(*context_turns(*this, reader_), {{{"assistant", text("output")}}});
    }
    if (has("text")) {
      return plain_row("", {text("text")});
    }
    no_schema("an SFT", std::string(kSftSchemas) + "\nor a preference row:\n" +
                            std::string(kPreferenceSchemas));
  }

  std::variant<Row, DropReason> labelled() const {
    if (has("chosen") && has("rejected")) {
      return preference();
    }
    auto result = sft();
    if (Row* row = std::get_if<Row>(&result)) {
      row->desirable = label();
    }
    return result;
  }

  std::variant<Row, DropReason> ranked() const {
    if (has("chosen") && has("rejected")) {
      return preference();
    }
    if (!has("prompt") || !is_list("responses")) {
      no_schema("a ranked", std::string(kRankedSchemas) + "\nor a preference row:\n" +
                                std::string(kPreferenceSchemas));
    }
    const ordered_json& list = value("responses");
    if (list.size() < 2) {
      return DropReason::single_response;
    }
    const std::optional<std::vector<std::size_t>> order = ranking(list.size());
    if (!order) {
      return DropReason::tied_scores;
    }
    const bool texts = is_text("prompt") && std::ranges::all_of(list, [](const ordered_json& r) {
                         return r.is_string();
                       });
    if (texts) {
      std::vector<std::string> responses;
      for (const std::size_t place : *order) {
        responses.push_back(list[place].get<std::string>());
      }
      return plain_row(text("prompt"), std::move(responses));
    }
    std::vector<Turns> responses;
    for (const std::size_t place : *order) {
      responses.push_back(turns_of(list[place], "responses"));
    }
    return explicit_row(is_text("prompt") ? Turns{{"user", text("prompt")}} : messages("prompt"),
                        std::move(responses));
  }

  // Fills in the rest of a row. Call it last, when it is known which keys were used.
  void finish(Row& row) const {
    if (row.conversational) {
      row.template_variables = template_variables();
    }
    row.renamed_roles = reader_.renamed();
    row.unused_keys = unused_keys();
  }

 private:
  bool label() const {
    const char* key = has("label") ? "label" : "kto_tag";
    if (!has(key)) {
      user_error(
          "{}: the key 'label' is missing: kto needs it for each response, true (desirable) or "
          "false (undesirable)",
          location());
    }
    const ordered_json& label = value(key);
    if (!label.is_boolean()) {
      wrong_type(key, "true or false");
    }
    return label.get<bool>();
  }

  // Indices of the responses, the best first; none if two have the same score.
  std::optional<std::vector<std::size_t>> ranking(std::size_t count) const {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (!has("scores")) {
      return order;
    }
    const ordered_json& scores = value("scores");
    if (!scores.is_array() || scores.size() != count ||
        !std::ranges::all_of(scores, [](const ordered_json& s) { return s.is_number(); })) {
      user_error("{}: key 'scores': a list of {} numbers was expected, one for each response",
                 location(), count);
    }
    const auto score = [&](std::size_t place) { return scores[place].get<double>(); };
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (score(order[i]) == score(order[i + 1])) {
        return std::nullopt;
      }
    }
    return order;
  }

  static Row plain_row(std::string prompt, std::vector<std::string> responses) {
    Row row;
    row.prompt.text = std::move(prompt);
    for (std::string& response : responses) {
      row.responses.push_back({{}, std::move(response)});
    }
    return row;
  }

  Row explicit_row(Turns prompt, std::vector<Turns> responses) const {
    Row row;
    row.conversational = true;
    row.prompt.turns = std::move(prompt);
    for (Turns& response : responses) {
      row.responses.push_back({std::move(response), ""});
    }
    add_system(row);
    return row;
  }

  Row preference_of_texts() const {
    const std::string chosen = text("chosen");
    const std::string rejected = text("rejected");
    if (is_text("prompt")) {
      require_one_prompt(*this);
      return plain_row(text("prompt"), {chosen, rejected});
    }
    if (auto context = context_turns(*this, reader_)) {
      return explicit_row(std::move(*context),
                          {{{"assistant", chosen}}, {{"assistant", rejected}}});
    }
    std::size_t length = common_prefix(chosen, rejected);
    if (length > 0 && chosen[length - 1] == ' ') {
      --length;
    }
    Row row = plain_row(chosen.substr(0, length), {chosen.substr(length), rejected.substr(length)});
    row.implicit_prompt = true;
    return row;
  }

  Row preference_of_messages() const {
    Turns chosen = response_turns("chosen");
    Turns rejected = response_turns("rejected");
    const bool whole = !chosen.empty() && chosen.front().role != "assistant" &&
                       (!is_list("prompt") || both_repeat(messages("prompt"), chosen, rejected));
    if (!whole) {
      if (auto context = context_turns(*this, reader_)) {
        return explicit_row(std::move(*context), {std::move(chosen), std::move(rejected)});
      }
    }
    // As in TRL, the last turn of the shorter conversation always belongs to its response.
    const std::size_t shorter = std::min(chosen.size(), rejected.size());
    const std::size_t length =
        std::min(common_prefix(chosen, rejected), shorter == 0 ? 0 : shorter - 1);
    const auto cut = static_cast<std::ptrdiff_t>(length);
    Row row = explicit_row(
        {chosen.begin(), chosen.begin() + cut},
        {{chosen.begin() + cut, chosen.end()}, {rejected.begin() + cut, rejected.end()}});
    row.implicit_prompt = true;
    return row;
  }

  Row prompt_completion() const {
    if (is_text("prompt") && is_text("completion")) {
      return plain_row(text("prompt"), {text("completion")});
    }
    return explicit_row(*context_turns(*this, reader_), {response_turns("completion")});
  }

  std::variant<Row, DropReason> whole_conversation(Turns turns) const {
    const auto last = std::find_if(turns.rbegin(), turns.rend(), [](const Message& message) {
      return message.role == "assistant";
    });
    if (last == turns.rend()) {
      return DropReason::no_assistant_turn;
    }
    const auto response = last.base() - 1;
    Row row = explicit_row({turns.begin(), response}, {{*response}});
    row.implicit_prompt = true;
    return row;
  }

  // A response as turns, from a list of messages, one message, or a text.
  Turns response_turns(std::string_view key) const { return turns_of(value(key), key); }

  Turns turns_of(const ordered_json& value, std::string_view key) const {
    if (value.is_string()) {
      return {{"assistant", value.get<std::string>()}};
    }
    Turns turns = value.is_object() ? Turns{reader_.one(value, key)} : reader_.list(value, key);
    if (!turns.empty() && turns.back().role != "assistant") {
      user_error(
          "{}: key '{}': its last message has the role '{}'; expected an answer of the assistant",
          location(), key, turns.back().role);
    }
    return turns;
  }

  Turns messages(std::string_view key) const { return reader_.list(value(key), key); }

  void add_system(Row& row) const {
    for (const char* key : {"system", "system_prompt"}) {
      if (!has(key)) {
        continue;
      }
      const std::string system = text(key);
      Turns& turns = row.prompt.turns;
      if (!system.empty() && (turns.empty() || turns.front().role != "system")) {
        turns.insert(turns.begin(), {"system", system});
      } else if (!system.empty() && turns.front().content != system) {
        user_error("{}: key '{}': the conversation already has another system turn", location(),
                   key);
      }
    }
  }

  // What rows of another kind are for.
  std::string_view hint() const {
    if (has("label") || has("kto_tag")) {
      return " Rows with labels are for --objective kto.";
    }
    if (has("responses")) {
      return " Rows with several responses are for --objective pro or rrhf.";
    }
    const bool answer = has("messages") || has("conversations") || has("completion") ||
                        has("output") || has("text");
    return answer ? " Rows with one answer are for lmpo sft." : "";
  }

  [[noreturn]] void no_schema(std::string_view kind, const std::string& schemas) const {
    std::set<std::string> keys;
    for (const auto& [key, value] : source().items()) {
      keys.insert(key + (value.is_null() ? " (null)" : ""));
    }
    user_error("{}: the keys {{{}}} are not those of {} row.{} Known keys:\n{}", location(),
               fmt::join(keys, ", "), kind, kind == kPreference ? hint() : "", schemas);
  }

  MessageReader reader_;
};

}  // namespace

std::variant<Row, DropReason> normalise_row(const ordered_json& source, RowKind kind,
                                            std::string_view location) {
  const RowParser parser(source, location);
  std::variant<Row, DropReason> result = DropReason::no_assistant_turn;
  switch (kind) {
    case RowKind::preference:
      result = parser.preference();
      break;
    case RowKind::sft:
      result = parser.sft();
      break;
    case RowKind::labelled:
      result = parser.labelled();
      break;
    case RowKind::ranked:
      result = parser.ranked();
      break;
  }
  Row* row = std::get_if<Row>(&result);
  if (row == nullptr) {
    return result;
  }
  parser.finish(*row);
  if (std::ranges::any_of(row->responses,
                          [](const Passage& response) { return is_blank(response); })) {
    return DropReason::empty_response;
  }
  if (row->conversational && row->prompt.turns.empty()) {
    return DropReason::empty_prompt;
  }
  if (row->responses.size() == 2 && row->responses[0] == row->responses[1]) {
    return DropReason::identical_responses;
  }
  return result;
}

}  // namespace lmpo
