#include "serve/tool_calls.h"

#include <algorithm>
#include <optional>

#include "base/error.h"

namespace lmpo {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::size_t end = text.find_last_not_of(kSpace);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

std::optional<ordered_json> json_of(std::string_view text) {
  try {
    return parse_ordered_json(text, "");
  } catch (const UserError&) {
    return std::nullopt;
  }
}

// {"name": ..., "arguments" or "parameters": {...}}
std::optional<ToolCall> call_of(const ordered_json& value) {
  if (!value.is_object() || !value.contains("name") || !value["name"].is_string()) {
    return std::nullopt;
  }
  for (const char* key : {"arguments", "parameters"}) {
    const auto found = value.find(key);
    if (found != value.end() && found->is_object()) {
      return ToolCall{value["name"].get<std::string>(), found->dump()};
    }
    if (found != value.end() && found->is_string()) {
      return ToolCall{value["name"].get<std::string>(), found->get<std::string>()};
    }
  }
  return std::nullopt;
}

// All or none of a list.
std::vector<ToolCall> calls_of(const ordered_json& list) {
  std::vector<ToolCall> calls;
  for (const ordered_json& each : list) {
    if (const auto call = call_of(each)) {
      calls.push_back(*call);
    } else {
      return {};
    }
  }
  return calls;
}

// <tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>, any number of them. The last end may
// be missing: it stopped the answer.
CallsInText parse_tagged(std::string_view text) {
  constexpr std::string_view kBegin = "<tool_call>";
  constexpr std::string_view kEnd = "</tool_call>";
  CallsInText found;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find(kBegin), text.size());
    found.content += text.substr(0, begin);
    text.remove_prefix(begin);
    if (text.empty()) {
      break;
    }
    const std::size_t end = std::min(text.find(kEnd), text.size());
    const auto value = json_of(trimmed(text.substr(kBegin.size(), end - kBegin.size())));
    const auto call = value ? call_of(*value) : std::nullopt;
    const std::size_t next = std::min(end + kEnd.size(), text.size());
    if (call) {
      found.calls.push_back(*call);
    } else {
      found.content += text.substr(0, next);
    }
    text.remove_prefix(next);
  }
  if (!found.calls.empty()) {
    found.content = std::string(trimmed(found.content));
  }
  return found;
}

// {"name": ..., "parameters": {...}}, the whole answer; several are separated by semicolons.
CallsInText parse_bare(std::string_view text) {
  std::string list(trimmed(text));
  if (auto one = json_of(list)) {
    return {.content = {}, .calls = calls_of(ordered_json::array({*one}))};
  }
  for (std::size_t at = list.find("};"); at != std::string::npos; at = list.find("};", at)) {
    list[at + 1] = ',';
  }
  const auto several = json_of("[" + list + "]");
  return {.content = {}, .calls = several ? calls_of(*several) : std::vector<ToolCall>()};
}

// [{"name": ..., "arguments": {...}}, ...] after [TOOL_CALLS], which is a special token that may be
// gone from the text.
CallsInText parse_list(std::string_view text) {
  constexpr std::string_view kSign = "[TOOL_CALLS]";
  text = trimmed(text);
  text.remove_prefix(text.starts_with(kSign) ? kSign.size() : 0);
  const auto value = json_of(text);
  return {.content = {},
          .calls = value && value->is_array() ? calls_of(*value) : std::vector<ToolCall>()};
}

const std::vector<ToolFormat>& all_formats() {
  static const std::vector<ToolFormat> formats = {
      {.name = "hermes", .signs = {"<tool_call>"}, .opening = "<tool_call>", .parse = parse_tagged},
      {.name = "mistral",
       .signs = {"[TOOL_CALLS]"},
       .opening = "[",
       .only_at_start = true,
       .parse = parse_list},
      {.name = "llama3",
       .signs = {"\"parameters\": ", "ipython"},
       .opening = "{",
       .only_at_start = true,
       .parse = parse_bare}};
  return formats;
}

}  // namespace

std::span<const ToolFormat> tool_formats() {
  return all_formats();
}

const ToolFormat* tool_format(std::string_view chat_template) {
  for (const ToolFormat& format : all_formats()) {
    if (std::ranges::all_of(format.signs, [&](std::string_view sign) {
          return chat_template.find(sign) != std::string_view::npos;
        })) {
      return &format;
    }
  }
  return nullptr;
}

std::size_t ToolCallFilter::begin_of_call() const {
  if (format_->only_at_start) {
    const std::size_t first = std::min(held_.find_first_not_of(kSpace), held_.size());
    const bool begins =
        !shown_ && (first == held_.size() ||
                    std::string_view(held_).substr(first).starts_with(format_->opening));
    return begins ? 0 : held_.size();
  }
  const std::string_view opening = format_->opening;
  if (const std::size_t found = held_.find(opening); found != std::string::npos) {
    return found;
  }
  for (std::size_t size = std::min(opening.size() - 1, held_.size()); size > 0; --size) {
    if (held_.ends_with(opening.substr(0, size))) {
      return held_.size() - size;
    }
  }
  return held_.size();
}

std::string ToolCallFilter::add(std::string_view piece) {
  if (format_ == nullptr) {
    return std::string(piece);
  }
  held_ += piece;
  const std::size_t end = begin_of_call();
  std::string certain = held_.substr(0, end);
  held_.erase(0, end);
  shown_ = shown_ || !trimmed(certain).empty();
  return certain;
}

CallsInText ToolCallFilter::finish() {
  if (format_ == nullptr || trimmed(held_).empty()) {
    return {.content = std::exchange(held_, ""), .calls = {}};
  }
  CallsInText found = format_->parse(held_);
  if (found.calls.empty()) {
    found.content = held_;
  }
  held_.clear();
  return found;
}

}  // namespace lmpo
