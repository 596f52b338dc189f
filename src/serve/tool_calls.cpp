#include "serve/tool_calls.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/utf8.h"
#include "serve/xml_call.h"

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

// Text between tags, any number of times, each a call of its own. The last end may be missing: it
// stopped the answer. Where there is a call, what is around the calls is content.
template <typename ReadCall>
CallsInText parse_between(std::string_view begin, std::string_view end, std::string_view text,
                          const ReadCall& read_call) {
  CallsInText found;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find(begin), text.size());
    found.content += text.substr(0, start);
    text.remove_prefix(start);
    if (text.empty()) {
      break;
    }
    const std::size_t stop = std::min(text.find(end, begin.size()), text.size());
    const std::optional<ToolCall> call =
        read_call(trimmed(text.substr(begin.size(), stop - begin.size())));
    const std::size_t next = std::min(stop + (begin == end ? 0 : end.size()), text.size());
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

// <tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>
CallsInText parse_tagged(std::string_view text, const ordered_json&) {
  return parse_between("<tool_call>", "</tool_call>", text, [](std::string_view inside) {
    const auto value = json_of(inside);
    return value ? call_of(*value) : std::nullopt;
  });
}

// [TOOL_CALLS]NAME[ARGS]{...}, and before [ARGS] there may be [CALL_ID] and nine characters.
CallsInText parse_named(std::string_view text, const ordered_json&) {
  constexpr std::string_view kSign = "[TOOL_CALLS]";
  return parse_between(kSign, kSign, text, [](std::string_view inside) -> std::optional<ToolCall> {
    constexpr std::string_view kArguments = "[ARGS]";
    const std::size_t end = inside.find(kArguments);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view head = inside.substr(0, end);
    const std::string_view name = trimmed(head.substr(0, head.find("[CALL_ID]")));
    const auto arguments = json_of(trimmed(inside.substr(end + kArguments.size())));
    if (name.empty() || !arguments || !arguments->is_object()) {
      return std::nullopt;
    }
    return ToolCall{replace_invalid_utf8(name), arguments->dump()};
  });
}

// <tool_call>\n<function=NAME>\n<parameter=KEY>\nVALUE\n</parameter>\n</function>\n</tool_call>
CallsInText parse_xml(std::string_view text, const ordered_json& tools) {
  return parse_between("<tool_call>", "</tool_call>", text,
                       [&tools](std::string_view inside) { return xml_call(inside, tools); });
}

// {"name": ..., "parameters": {...}}, the whole answer; several are separated by semicolons.
CallsInText parse_bare(std::string_view text, const ordered_json&) {
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
CallsInText parse_list(std::string_view text, const ordered_json&) {
  constexpr std::string_view kSign = "[TOOL_CALLS]";
  text = trimmed(text);
  text.remove_prefix(text.starts_with(kSign) ? kSign.size() : 0);
  const auto value = json_of(text);
  return {.content = {},
          .calls = value && value->is_array() ? calls_of(*value) : std::vector<ToolCall>()};
}

const std::vector<ToolFormat>& all_formats() {
  // A format whose signs hold another's comes before it.
  static const std::vector<ToolFormat> formats = {
      {.name = "qwen3_coder",
       .signs = {"<tool_call>", "<function=", "<parameter="},
       .opening = "<tool_call>",
       .parse = parse_xml},
      {.name = "hermes", .signs = {"<tool_call>"}, .opening = "<tool_call>", .parse = parse_tagged},
      {.name = "mistral_named",
       .signs = {"[TOOL_CALLS]", "[ARGS]"},
       .opening = "[TOOL_CALLS]",
       .special = {"[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"},
       .parse = parse_named},
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

std::vector<TokenId> tool_tokens(const ToolFormat* format, const Tokenizer& tokenizer) {
  std::vector<TokenId> tokens;
  if (format != nullptr) {
    for (const std::string_view text : format->special) {
      if (const auto token = tokenizer.find(text)) {
        tokens.push_back(*token);
      }
    }
  }
  return tokens;
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
  CallsInText found = format_->parse(held_, tools_);
  if (found.calls.empty()) {
    found.content = held_;
  }
  held_.clear();
  return found;
}

}  // namespace lmpo
