// A row of a task's data, read with the checks that a table of somebody else's needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

// The accessors throw UserError that names the row, the key, what was expected and what there is.
class Document {
 public:
  // `place` names the row in errors: "test.jsonl:7".
  Document(ordered_json row, std::string place) : row_(std::move(row)), place_(std::move(place)) {}

  const ordered_json& row() const { return row_; }
  const std::string& place() const { return place_; }
  bool has(std::string_view key) const { return row_.contains(key); }

  std::string text(std::string_view key) const;
  // An integer, or a text of one: data sets have both.
  std::int64_t number(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::int64_t> numbers(std::string_view key) const;
  // An object inside.
  Document part(std::string_view key) const;
  // UserError: the value of `key` is not what was expected.
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

  // For what a task adds to its documents.
  void set(std::string_view key, ordered_json value) { row_[std::string(key)] = std::move(value); }

 private:
  // Null where it is missing.
  const ordered_json* find(std::string_view key) const;

  ordered_json row_;
  std::string place_;
};

// The place of `value` among `values`; -1 where it is not among them.
std::int64_t index_of(const std::vector<std::string>& values, std::string_view value);

}  // namespace lmpo
