#include "text/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "text/pattern.h"

namespace lmpo {
namespace {

Normalizer read_prepend(const JsonPart& part) {
  return [prefix = part.required<std::string>("prepend")](NormalizedText& normalized) {
    if (!normalized.text.empty()) {
      normalized.text.insert(0, prefix);
      normalized.head += normalized.head > 0 ? prefix.size() : 0;
    }
  };
}

// A replaced part comes from where the last byte of what it replaces came from.
std::size_t head_after(const std::vector<Span>& matches, std::size_t content, std::size_t head) {
  std::size_t result = head;
  for (const Span match : matches) {
    if (match.begin >= head && match.end > head) {
      break;
    }
    result -= std::min(match.end, head) - match.begin;
    result += match.end <= head ? content : 0;
  }
  return result;
}

Normalizer read_replace(const JsonPart& part) {
  return [pattern = read_pattern(part),
          content = part.required<std::string>("content")](NormalizedText& normalized) {
    const auto matches = pattern(normalized.text);
    if (normalized.head > 0) {
      normalized.head = head_after(matches, content.size(), normalized.head);
    }
    normalized.text = replace_all(normalized.text, matches, content);
  };
}

std::string map_unicode(const std::string& text, utf8proc_option_t options) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, std::free);
  if (size < 0) {
    machine_error("Unicode normalization failed: {}", utf8proc_errmsg(size));
  }
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

// One of the normalization forms of Unicode Standard Annex 15.
Normalizer unicode_form(int options) {
  const auto option = static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE);
  return [option](NormalizedText& normalized) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(normalized.text.begin(), normalized.text.end(), is_ascii)) {
      return;
    }
    const std::string head = map_unicode(normalized.text.substr(0, normalized.head), option);
    normalized.text = map_unicode(normalized.text, option);
    normalized.head = std::min(head.size(), normalized.text.size());
  };
}

Normalizer read_sequence(const JsonPart& part) {
  std::vector<Normalizer> steps;
  for (const JsonPart& step : part.child("normalizers").elements()) {
    steps.push_back(read_normalizer(step));
  }
  return [steps = std::move(steps)](NormalizedText& normalized) {
    for (const Normalizer& step : steps) {
      step(normalized);
    }
  };
}

}  // namespace

Normalizer read_normalizer(const JsonPart& part) {
  static const std::map<std::string, Normalizer (*)(const JsonPart&)> known = {
      {"NFC", [](const JsonPart&) { return unicode_form(UTF8PROC_COMPOSE); }},
      {"NFD", [](const JsonPart&) { return unicode_form(UTF8PROC_DECOMPOSE); }},
      {"NFKC", [](const JsonPart&) { return unicode_form(UTF8PROC_COMPOSE | UTF8PROC_COMPAT); }},
      {"NFKD", [](const JsonPart&) { return unicode_form(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT); }},
      {"Prepend", read_prepend},
      {"Replace", read_replace},
      {"Sequence", read_sequence}};
  return part.absent() ? [](NormalizedText&) {} : choose_by_type(part, known)(part);
}

}  // namespace lmpo
