#include "text/oniguruma.h"

#include <oniguruma.h>

#include <array>

#include "base/error.h"
#include "text/newer_unicode.h"

namespace lmpo {
namespace {

void set_up_once() {
  static const bool done = [] {
    OnigEncoding encoding = ONIG_ENCODING_UTF8;
    LMPO_CHECK(onig_initialize(&encoding, 1) == ONIG_NORMAL);
    // Without limits of its own it would search for days, or fill the memory.
    constexpr unsigned long kMostRetries = 100'000'000;
    constexpr unsigned kMostOpenChoices = 2'000'000;
    onig_set_retry_limit_in_search(kMostRetries);
    onig_set_match_stack_limit_size(kMostOpenChoices);
    return true;
  }();
  static_cast<void>(done);
}

const OnigUChar* onig_units(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

}  // namespace

Oniguruma::Oniguruma(const std::string& pattern, std::string_view where) : where_(where) {
  set_up_once();
  const std::string wide = with_newer_characters(pattern);
  regex_t* code = nullptr;
  OnigErrorInfo info{};
  const int error = onig_new(&code, onig_units(wide), onig_units(wide) + wide.size(),
                             ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, OnigDefaultSyntax, &info);
  if (error != ONIG_NORMAL) {
    std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> message{};
    const int size = onig_error_code_to_str(message.data(), error, &info);
    user_error("{}: the pattern '{}' cannot be read: {}", where, pattern,
               std::string_view(reinterpret_cast<const char*>(message.data()),
                                static_cast<std::size_t>(size)));
  }
  code_ = std::shared_ptr<regex_t>(code, onig_free);
}

std::optional<Span> Oniguruma::search(std::string_view text, std::size_t start) const {
  const std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region(
      onig_region_new(), [](OnigRegion* each) { onig_region_free(each, 1); });
  const OnigUChar* begin = onig_units(text);
  const OnigUChar* end = begin + text.size();
  const int found =
      onig_search(code_.get(), begin, end, begin + start, end, region.get(), ONIG_OPTION_NONE);
  if (found == ONIG_MISMATCH) {
    return std::nullopt;
  }
  if (found < 0) {
    std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> message{};
    const int size = onig_error_code_to_str(message.data(), found);
    user_error("{}: the pattern cannot be applied to a text of {} bytes: {}", where_, text.size(),
               std::string_view(reinterpret_cast<const char*>(message.data()),
                                static_cast<std::size_t>(size)));
  }
  return Span{static_cast<std::size_t>(region->beg[0]), static_cast<std::size_t>(region->end[0])};
}

}  // namespace lmpo
