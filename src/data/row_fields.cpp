#include "data/row_fields.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

RowKeys bit(std::string_view key) {
  const auto keys = row_keys();
  const auto found = std::ranges::find(keys, key);
  LMPO_CHECK(found != keys.end());
  return RowKeys{1} << (found - keys.begin());
}

}  // namespace

std::span<const std::string> row_keys() {
  static const std::vector<std::string> kKeys = {
      "prompt",        "chosen",        "rejected",
      "messages",      "conversations", "completion",
      "instruction",   "input",         "output",
      "history",       "system",        "text",
      "label",         "kto_tag",       "responses",
      "scores",        "question",      "query",
      "system_prompt", "tools",         "chat_template_kwargs"};
  return kKeys;
}

bool RowFields::has(std::string_view key) const {
  const auto found = source_.find(key);
  return found != source_.end() && !found->is_null();
}

const ordered_json& RowFields::value(std::string_view key) const {
  mark_used(key);
  return *source_.find(key);
}

std::string RowFields::text(std::string_view key) const {
  const ordered_json& found = value(key);
  if (!found.is_string()) {
    wrong_type(key, "a string");
  }
  return found.get<std::string>();
}

ordered_json RowFields::template_variables() const {
  for (const char* key : {"chat_template_kwargs", "tools"}) {
    if (has(key)) {
      mark_used(key);
    }
  }
  return template_inputs(source_, location_);
}

void RowFields::mark_used(std::string_view key) const {
  used_ |= bit(key);
}

RowKeys RowFields::unused_keys() const {
  RowKeys unused = 0;
  const auto keys = row_keys();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    unused |= has(keys[i]) ? RowKeys{1} << i & ~used_ : 0;
  }
  return unused;
}

void RowFields::wrong_type(std::string_view key, std::string_view expected) const {
  constexpr std::size_t kShown = 40;
  const std::string found =
      source_.find(key)->dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  user_error("{}: key '{}': {} was expected, not {}{}", location_, key, expected,
             found.substr(0, kShown), found.size() > kShown ? "..." : "");
}

}  // namespace lmpo
