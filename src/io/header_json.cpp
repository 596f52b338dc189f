#include "io/header_json.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lmpo {
namespace {

// Reads a header's JSON itself: the library's own reader keeps the last of two equal keys in
// silence, and looks at all tensors again after each one when it is asked to tell of keys. Nesting
// is bounded: any depth would exhaust the stack of code that prints what is wrong.
class HeaderReader final : public json::json_sax_t {
 public:
  explicit HeaderReader(std::string_view source) : source_(source) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& /*text*/) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(json::binary_t& /*value*/) override { return false; }  // JSON text has none
  bool start_object(std::size_t /*count*/) override { return open(json::object()); }
  bool start_array(std::size_t /*count*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (open_.back()->contains(name)) {
      user_error("{}: the header names '{}' twice", source_, name);
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*last*/,
                   const json::exception& error) override {
    user_error("{}: the header is not valid JSON: {}", source_, short_message(error));
  }

 private:
  static constexpr std::size_t kDeepest = 3;  // {NAME: {"shape": [...]}}

  json& place(json value) {
    if (open_.empty()) {
      return root_ = std::move(value);
    }
    json& parent = *open_.back();
    return parent.is_array() ? parent.emplace_back(std::move(value))
                             : parent[std::move(key_)] = std::move(value);
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool open(json value) {
    if (open_.size() == kDeepest) {
      user_error("{}: the header is nested too deep: {{NAME: {{\"shape\": [...]}}}} was expected",
                 source_);
    }
    open_.push_back(&place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view source_;
  json root_;
  std::vector<json*> open_;  // only the last may grow, so the others stay where they are
  std::string key_;
};

}  // namespace

json parse_header_json(std::string_view text, std::string_view source) {
  if (!text.starts_with('{')) {
    user_error("{}: not a safetensors file: its header does not start with '{{'", source);
  }
  HeaderReader reader(source);
  json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace lmpo
