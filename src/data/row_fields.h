// The keys that rows may have, and reading them one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace lmpo {

// Every key that a row of some schema may have: what need not be read of a row is all the others.
std::span<const std::string> row_keys();
// A set of them, one bit for each in their order.
using RowKeys = std::uint32_t;

// A row whose keys are row_keys(); a key whose value is null counts as absent. Remembers which of
// them were used. Throws UserError with the location for a value of a wrong type. Row and location
// must outlive it.
class RowFields {
 public:
  RowFields(const ordered_json& source, std::string_view location)
      : source_(source), location_(location) {}

  bool has(std::string_view key) const;
  bool is_text(std::string_view key) const { return has(key) && source_.find(key)->is_string(); }
  bool is_list(std::string_view key) const { return has(key) && source_.find(key)->is_array(); }

  // Of a key that is there, which is thereby used.
  const ordered_json& value(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::string text_or_empty(std::string_view key) const { return has(key) ? text(key) : ""; }
  // What a template may read beside the messages: `tools`, a list of objects or its JSON text, and
  // what chat_template_kwargs names; null where there is none.
  ordered_json template_variables() const;

  void mark_used(std::string_view key) const;
  RowKeys unused_keys() const;  // that are there

  [[noreturn]] void wrong_type(std::string_view key, std::string_view expected) const;
  const ordered_json& source() const { return source_; }
  std::string_view location() const { return location_; }

 private:
  ordered_json parsed(std::string_view key) const;

  const ordered_json& source_;
  std::string_view location_;
  mutable RowKeys used_ = 0;
};

}  // namespace lmpo
