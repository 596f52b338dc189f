// The keys that rows may have, and reading them one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace lmpo {

// Every key that some schema knows; all others need not be read.
std::span<const std::string> row_keys();
// A set of these keys: one bit each, in their order.
using RowKeys = std::uint32_t;

// Reads a row by key. A key with a null value counts as absent. Remembers which keys were used.
// Throws UserError with the location for a value of the wrong type. Row and location must outlive
// it. Not thread-safe.
class RowFields {
 public:
  RowFields(const ordered_json& source, std::string_view location)
      : source_(source), location_(location) {}

  bool has(std::string_view key) const;
  bool is_text(std::string_view key) const { return has(key) && source_.find(key)->is_string(); }
  bool is_list(std::string_view key) const { return has(key) && source_.find(key)->is_array(); }

  // The key must be there. These mark it as used.
  const ordered_json& value(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::string text_or_empty(std::string_view key) const { return has(key) ? text(key) : ""; }
  // The template's variables besides the messages, see text/template_inputs.h; null if there are
  // none.
  ordered_json template_variables() const;

  void mark_used(std::string_view key) const;
  RowKeys unused_keys() const;  // of those that the row has

  [[noreturn]] void wrong_type(std::string_view key, std::string_view expected) const;
  const ordered_json& source() const { return source_; }
  std::string_view location() const { return location_; }

 private:
  const ordered_json& source_;
  std::string_view location_;
  mutable RowKeys used_ = 0;
};

}  // namespace lmpo
