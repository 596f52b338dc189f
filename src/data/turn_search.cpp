#include "data/turn_search.h"

#include <algorithm>

namespace lmpo {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
constexpr std::string_view kThinkEnd = "</think>";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

std::string without_white_space(std::string_view text) {
  std::string rest(text);
  std::erase_if(rest, [](char c) { return kWhiteSpace.find(c) != std::string_view::npos; });
  return rest;
}

std::string as_json(std::string_view text) {
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

bool TurnSearch::find_as_it_is(std::string_view text) {
  std::size_t at = rendering_.find(text, next_);
  if (at == std::string_view::npos) {
    at = rendering_.substr(0, std::min(rendering_.size(), next_ + text.size())).find(text);
    if (at == std::string_view::npos) {
      return false;
    }
  } else {
    next_ = at + text.size();
  }
  end_ = std::max(end_, at + text.size());
  return true;
}

bool TurnSearch::find_text(std::string_view text) {
  text = trim(text);
  if (text.empty() || find_as_it_is(text)) {
    return true;
  }
  if (const std::size_t think = text.rfind(kThinkEnd); think != std::string_view::npos) {
    const std::string_view answer = trim(text.substr(think + kThinkEnd.size()));
    if (answer.empty() || find_as_it_is(answer)) {
      reasoning_left_out_ = true;
      return true;
    }
  }
  if (find_as_it_is(as_json(text))) {
    return true;
  }
  if (without_white_space(rendering_).find(without_white_space(text)) != std::string::npos) {
    return true;
  }
  return false;
}

bool TurnSearch::find(const Message& turn) {
  bool found = find_text(turn.content);
  for (const ordered_json* call : tool_calls(turn)) {
    found = find_text(function_name(*call)) && found;
  }
  return found;
}

std::string excerpt(const Message& turn) {
  constexpr std::size_t kMost = 60;
  std::string text = turn.content;
  if (text.empty() && !tool_calls(turn).empty()) {
    text = "call of " + function_name(*tool_calls(turn).front());
  }
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kMost) {
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      --end;
    }
    text = text.substr(0, end) + "...";
  }
  return turn.role + ": " + text;
}

}  // namespace lmpo
