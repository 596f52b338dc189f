#include "text/pattern.h"

#include "text/regex.h"

namespace lmpo {

Pattern literal_pattern(std::string literal) {
  return [literal = std::move(literal)](std::string_view text) {
    std::vector<Span> found;
    for (std::size_t at = text.find(literal); at != std::string_view::npos;
         at = text.find(literal, at + literal.size())) {
      found.push_back({at, at + literal.size()});
    }
    return found;
  };
}

Pattern character_pattern(bool (*belongs)(char32_t)) {
  return [belongs](std::string_view text) {
    std::vector<Span> found;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = utf8_size(text[at]);
      if (belongs(first_code_point(text.substr(at)))) {
        found.push_back({at, at + size});
      }
      at += size;
    }
    return found;
  };
}

Pattern read_pattern(const JsonPart& part) {
  const JsonPart pattern = part.child("pattern");
  if (!pattern.value().is_object() || pattern.value().size() != 1) {
    pattern.refuse("an object {{\"String\": ...}} or {{\"Regex\": ...}} was expected");
  }
  if (pattern.value().contains("Regex")) {
    const auto regex = Regex::oniguruma(pattern.required<std::string>("Regex"), pattern.where());
    // The reference does not ask a pattern about an empty text.
    return [regex](std::string_view text) {
      return text.empty() ? std::vector<Span>() : regex.find_all(text);
    };
  }
  auto literal = pattern.required<std::string>("String");
  if (literal.empty()) {
    pattern.refuse("an empty text to look for is not supported");
  }
  return literal_pattern(std::move(literal));
}

std::size_t replaced_size(std::string_view text, const std::vector<Span>& matches,
                          std::string_view content) {
  std::size_t size = text.size() + matches.size() * content.size();
  for (const Span match : matches) {
    size -= match.size();
  }
  return size;
}

std::string replace_all(std::string_view text, const std::vector<Span>& matches,
                        std::string_view content) {
  std::string replaced;
  replaced.reserve(replaced_size(text, matches, content));
  std::size_t at = 0;
  for (const Span match : matches) {
    replaced += text.substr(at, match.begin - at);
    replaced += content;
    at = match.end;
  }
  replaced += text.substr(at);
  return replaced;
}

}  // namespace lmpo
