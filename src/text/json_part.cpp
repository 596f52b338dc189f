#include "text/json_part.h"

namespace lmpo {
namespace {

// Real files nest three or four levels; a hostile one must not exhaust the stack.
constexpr int greatest_depth = 32;
const json null_value;

}  // namespace

void JsonPart::check_object() const {
  if (!value_->is_object()) {
    refuse("an object was expected");
  }
}

JsonPart JsonPart::inner(const json& value, std::string where) const {
  if (depth_ >= greatest_depth) {
    refuse("nested more than {} levels deep", greatest_depth);
  }
  return JsonPart(value, std::move(where), depth_ + 1);
}

JsonPart JsonPart::child(std::string_view key) const {
  check_object();
  const auto found = value_->find(key);
  return inner(found == value_->end() ? null_value : *found,
               fmt::format("{}{}{}", where_, depth_ == 0 ? ": " : ".", key));
}

std::vector<JsonPart> JsonPart::elements() const {
  if (!value_->is_array()) {
    refuse("a list was expected");
  }
  std::vector<JsonPart> result;
  for (const json& element : *value_) {
    result.push_back(inner(element, fmt::format("{}[{}]", where_, result.size())));
  }
  return result;
}

}  // namespace lmpo
