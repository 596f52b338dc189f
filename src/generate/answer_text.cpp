#include "generate/answer_text.h"

#include <algorithm>
#include <utility>

namespace lmpo {

AnswerText::AnswerText(const Tokenizer& tokenizer, std::vector<std::string> stop_strings,
                       std::vector<TokenId> shown)
    : text_(tokenizer, std::move(shown)), stop_strings_(std::move(stop_strings)) {
  std::erase(stop_strings_, "");
}

std::string AnswerText::add(TokenId token) {
  if (stopped_) {
    return "";
  }
  waiting_ += text_.add(token);
  return certain();
}

std::string AnswerText::finish() {
  if (stopped_) {
    return "";
  }
  waiting_ += text_.finish();
  std::string rest = certain();
  if (!stopped_) {
    rest += std::exchange(waiting_, "");
  }
  return rest;
}

std::string AnswerText::certain() {
  std::size_t end = waiting_.size();
  for (const std::string& stop : stop_strings_) {
    if (const std::size_t found = waiting_.find(stop); found < end) {
      end = found;
      stopped_ = true;
    }
  }
  if (stopped_) {
    return std::exchange(waiting_, "").substr(0, end);
  }
  for (const std::string& stop : stop_strings_) {
    // The longest end of the text that the stop string begins with.
    for (std::size_t size = std::min(stop.size() - 1, waiting_.size()); size > 0; --size) {
      if (waiting_.ends_with(std::string_view(stop).substr(0, size))) {
        end = std::min(end, waiting_.size() - size);
        break;
      }
    }
  }
  std::string text = waiting_.substr(0, end);
  waiting_.erase(0, end);
  return text;
}

}  // namespace lmpo
