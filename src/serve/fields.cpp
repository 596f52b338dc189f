#include "serve/fields.h"

#include "base/error.h"
#include "base/utf8.h"
#include "serve/api_error.h"

namespace lmpo {

ordered_json parse_body(std::string_view body) {
  try {
    ordered_json parsed = parse_ordered_json(body, "the request's body");
    if (parsed.is_object()) {
      return parsed;
    }
    throw ApiError(
        400, fmt::format("the request's body: an object was expected, not {}", kind_of(parsed)));
  } catch (const UserError& error) {
    throw ApiError(400, replace_invalid_utf8(error.what()));
  }
}

std::string_view kind_of(const ordered_json& value) {
  switch (value.type()) {
    case ordered_json::value_t::null:
      return "null";
    case ordered_json::value_t::object:
      return "an object";
    case ordered_json::value_t::array:
      return "a list";
    case ordered_json::value_t::string:
      return "a string";
    case ordered_json::value_t::boolean:
      return "true or false";
    case ordered_json::value_t::number_integer:
    case ordered_json::value_t::number_unsigned:
      return "a whole number";
    default:
      return "a number";
  }
}

std::string excerpt(const ordered_json& value) {
  constexpr std::size_t kShown = 60;
  const std::string text = value.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
  return text.substr(0, kShown) + (text.size() > kShown ? "..." : "");
}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void Fields::wrong_type(std::string_view name, std::string_view expected,
                        const ordered_json& value) const {
  refuse_field(path_of(name), "Invalid type for '{}': {} was expected, not {}", path_of(name),
               expected, kind_of(value));
}

const ordered_json* Fields::find(const std::string& name) {
  read_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<bool> Fields::truth(const std::string& name) {
  const ordered_json* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_boolean()) {
    wrong_type(name, "true or false", *value);
  }
  return value->get<bool>();
}

std::optional<std::int64_t> Fields::whole(const std::string& name, std::int64_t least,
                                          std::int64_t most) {
  const ordered_json* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number_integer()) {
    wrong_type(name, "a whole number", *value);
  }
  const bool too_large = value->is_number_unsigned() &&
                         value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t number = too_large ? most : value->get<std::int64_t>();
  if (too_large || number < least || number > most) {
    refuse_field(path_of(name), "Invalid value for '{}': {} is not between {} and {}",
                 path_of(name), value->dump(), least, most);
  }
  return number;
}

std::optional<double> Fields::number(const std::string& name, double least, double most) {
  const ordered_json* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number()) {
    wrong_type(name, "a number", *value);
  }
  const auto number = value->get<double>();
  if (!(number >= least && number <= most)) {
    refuse_field(path_of(name), "Invalid value for '{}': {} is not between {} and {}",
                 path_of(name), value->dump(), least, most);
  }
  return number;
}

std::optional<std::string> Fields::text(const std::string& name) {
  const ordered_json* value = find(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    wrong_type(name, "a string", *value);
  }
  return value->get<std::string>();
}

const ordered_json* Fields::list(const std::string& name) {
  const ordered_json* value = find(name);
  if (value != nullptr && !value->is_array()) {
    wrong_type(name, "a list", *value);
  }
  return value;
}

const ordered_json* Fields::object(const std::string& name) {
  const ordered_json* value = find(name);
  if (value != nullptr && !value->is_object()) {
    wrong_type(name, "an object", *value);
  }
  return value;
}

void Fields::ignore(std::initializer_list<const char*> names) {
  read_.insert(names.begin(), names.end());
}

void Fields::require_default(const std::string& name, const ordered_json& harmless,
                             std::string_view remedy) {
  const ordered_json* value = find(name);
  if (value == nullptr || *value == harmless) {
    return;
  }
  refuse_field(path_of(name), "'{}' is not supported{}{}", path_of(name),
               remedy.empty() ? "" : "; ", remedy);
}

std::vector<std::string> Fields::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : object_.items()) {
    if (!read_.contains(name)) {
      names.push_back(path_of(name));
    }
  }
  return names;
}

}  // namespace lmpo
