#include "data/schema.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr std::string_view kPreferenceSchemas =
    "  prompt, chosen, rejected\n"
    "  chosen, rejected (the prompt is what they share)\n"
    "  conversations or messages, chosen, rejected\n"
    "  instruction, chosen, rejected";
constexpr std::string_view kSftSchemas =
    "  messages or conversations\n"
    "  prompt, completion\n"
    "  instruction, output\n"
    "  text";

constexpr std::string_view kRankedSchemas =
    "  prompt, responses (the best first)\n"
    "  prompt, responses, scores";

// The names that datasets give to the speakers, and the ones that chat templates know.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kRoles = {{
    {"human", "user"},
    {"gpt", "assistant"},
    {"chatgpt", "assistant"},
    {"model", "assistant"},
    {"observation", "tool"},
}};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

bool is_blank(const Passage& passage) {
  return is_blank(passage.text) &&
         std::all_of(passage.turns.begin(), passage.turns.end(),
                     [](const Message& message) { return is_blank(message.content); });
}

// The longest common beginning of two texts, in bytes; never inside a UTF-8 sequence.
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

std::size_t common_prefix(const Turns& a, const Turns& b) {
  const auto most = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                  a.begin());
}

// Reads one source row; every member throws UserError with the location.
class RowParser {
 public:
  RowParser(const json& source, std::string_view location) : source_(source), location_(location) {}

  // The row as its schema gives it, before any check of its content.
  Row preference() const {
    if (!has("chosen") || !has("rejected")) {
      no_schema("a preference", std::string(kPreferenceSchemas));
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
    if (has("instruction") && has("output")) {
      return explicit_row(*context_turns(), {{{"assistant", text("output")}}});
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
    const json& list = *source_.find("responses");
    if (list.size() < 2) {
      return DropReason::single_response;
    }
    const std::optional<std::vector<std::size_t>> order = ranking(list.size());
    if (!order) {
      return DropReason::tied_scores;
    }
    const bool texts =
        is_text("prompt") &&
        std::all_of(list.begin(), list.end(), [](const json& r) { return r.is_string(); });
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

 private:
  bool label() const {
    const char* key = has("label") ? "label" : "kto_tag";
    if (!has(key)) {
      user_error(
          "{}: the key 'label' is missing: kto needs to know of each response whether it was "
          "approved of, true or false",
          location_);
    }
    return required<bool>(source_, key, location_);
  }

  // Places of the responses, the best first; none where two have the same score.
  std::optional<std::vector<std::size_t>> ranking(std::size_t count) const {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (!has("scores")) {
      return order;
    }
    const json& scores = *source_.find("scores");
    if (!scores.is_array() || scores.size() != count ||
        !std::all_of(scores.begin(), scores.end(), [](const json& s) { return s.is_number(); })) {
      user_error("{}: key 'scores': a list of {} numbers was expected, one for each response",
                 location_, count);
    }
    const auto score = [&](std::size_t place) { return scores[place].get<double>(); };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (score(order[i]) == score(order[i + 1])) {
        return std::nullopt;
      }
    }
    return order;
  }

  bool has(std::string_view key) const {
    LMPO_CHECK(std::ranges::find(row_keys(), key) != row_keys().end());
    const auto found = source_.find(key);
    return found != source_.end() && !found->is_null();
  }
  bool is_text(std::string_view key) const { return has(key) && source_.find(key)->is_string(); }
  bool is_list(std::string_view key) const { return has(key) && source_.find(key)->is_array(); }
  std::string text(std::string_view key) const {
    return required<std::string>(source_, key, location_);
  }
  std::string text_or_empty(std::string_view key) const { return has(key) ? text(key) : ""; }

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
      return plain_row(text("prompt"), {chosen, rejected});
    }
    if (auto context = context_turns()) {
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
    const bool whole = !is_list("prompt") && !chosen.empty() && chosen.front().role != "assistant";
    if (!whole) {
      if (auto context = context_turns()) {
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
    return explicit_row(*context_turns(), {response_turns("completion")});
  }

  std::variant<Row, DropReason> whole_conversation(Turns turns) const {
    const auto last = std::find_if(turns.rbegin(), turns.rend(), [](const Message& message) {
      return message.role == "assistant";
    });
    if (last == turns.rend()) {
      return DropReason::no_assistant_turn;
    }
    const auto response = last.base() - 1;
    return explicit_row({turns.begin(), response}, {{*response}});
  }

  // The turns before the response, from the keys other than the responses'; none where there are
  // no such keys.
  std::optional<Turns> context_turns() const {
    for (const std::string_view key : {"prompt", "messages", "conversations"}) {
      if (is_list(key)) {
        return messages(key);
      }
    }
    if (has("prompt")) {
      return Turns{{"user", text("prompt")}};
    }
    if (has("messages") || has("conversations")) {
      return messages(has("messages") ? "messages" : "conversations");  // not a list: throws
    }
    if (!has("instruction")) {
      return std::nullopt;
    }
    Turns turns = history();
    const std::string input = text_or_empty("input");
    turns.push_back({"user", text("instruction") + (input.empty() ? "" : "\n" + input)});
    return turns;
  }

  // Alpaca's earlier exchanges: a list of [instruction, response].
  Turns history() const {
    Turns turns;
    if (!has("history")) {
      return turns;
    }
    const json& exchanges = *source_.find("history");
    const auto is_exchange = [](const json& value) {
      return value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string();
    };
    if (!exchanges.is_array() || !std::all_of(exchanges.begin(), exchanges.end(), is_exchange)) {
      user_error("{}: key 'history': a list of [instruction, response] was expected", location_);
    }
    for (const json& exchange : exchanges) {
      turns.push_back({"user", exchange[0].get<std::string>()});
      turns.push_back({"assistant", exchange[1].get<std::string>()});
    }
    return turns;
  }

  // A response as turns: a list of messages, one message, or a text that the assistant says.
  Turns response_turns(std::string_view key) const { return turns_of(*source_.find(key), key); }

  Turns turns_of(const json& value, std::string_view key) const {
    if (value.is_string()) {
      return {{"assistant", value.get<std::string>()}};
    }
    if (value.is_object()) {
      return {message(value, key)};
    }
    return messages(value, key);
  }

  Turns messages(std::string_view key) const { return messages(*source_.find(key), key); }

  Turns messages(const json& list, std::string_view key) const {
    if (!list.is_array()) {
      user_error("{}: key '{}': a list of messages was expected", location_, key);
    }
    Turns turns;
    turns.reserve(list.size());
    for (const json& value : list) {
      turns.push_back(message(value, key));
    }
    return turns;
  }

  Message message(const json& value, std::string_view key) const {
    const bool from_value = value.is_object() && value.contains("from");
    const std::string_view role_key = from_value ? "from" : "role";
    const std::string_view content_key = from_value ? "value" : "content";
    if (!value.is_object() || !value.contains(role_key) || !value[role_key].is_string()) {
      user_error(
          "{}: key '{}': a message was expected, {{\"role\": ..., \"content\": ...}} or "
          "{{\"from\": ..., \"value\": ...}}",
          location_, key);
    }
    std::string role = value[role_key].get<std::string>();
    const auto known = std::find_if(kRoles.begin(), kRoles.end(),
                                    [&](const auto& entry) { return entry.first == role; });
    if (known != kRoles.end()) {
      role = known->second;
    }
    return {std::move(role), content(value, content_key, key)};
  }

  std::string content(const json& value, std::string_view content_key, std::string_view key) const {
    const auto found = value.find(content_key);
    if (found != value.end() && found->is_string()) {
      return found->get<std::string>();
    }
    const auto is_text_part = [](const json& part) {
      return part.is_object() && part.value("type", json()) == "text" && part.contains("text") &&
             part["text"].is_string();
    };
    if (found == value.end() || !found->is_array() ||
        !std::all_of(found->begin(), found->end(), is_text_part)) {
      user_error(
          "{}: key '{}': a message's '{}' must be a string or a list of {{\"type\": \"text\"}} "
          "parts",
          location_, key, content_key);
    }
    std::string joined;
    for (const json& part : *found) {
      joined += part["text"].get<std::string>();
    }
    return joined;
  }

  void add_system(Row& row) const {
    const bool wanted = row.conversational && is_text("system") && !text("system").empty();
    Turns& turns = row.prompt.turns;
    if (wanted && (turns.empty() || turns.front().role != "system")) {
      turns.insert(turns.begin(), {"system", text("system")});
    }
  }

  [[noreturn]] void no_schema(std::string_view kind, const std::string& schemas) const {
    std::string keys;
    for (const auto& [key, value] : source_.items()) {
      keys += fmt::format("{}{}", keys.empty() ? "" : ", ", key);
    }
    user_error("{}: the keys {{{}}} do not make {} row. Its keys may be:\n{}", location_, keys,
               kind, schemas);
  }

  const json& source_;
  std::string_view location_;
};

}  // namespace

std::span<const std::string> row_keys() {
  static const std::vector<std::string> keys = {
      "prompt",      "chosen",  "rejected",  "messages", "conversations", "completion",
      "instruction", "input",   "output",    "history",  "system",        "text",
      "label",       "kto_tag", "responses", "scores"};
  return keys;
}

std::variant<Row, DropReason> normalise_row(const json& source, RowKind kind,
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
  const Row* row = std::get_if<Row>(&result);
  if (row == nullptr) {
    return result;
  }
  if (std::any_of(row->responses.begin(), row->responses.end(),
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
