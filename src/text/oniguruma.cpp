#include "text/oniguruma.h"

#include <oniguruma.h>

#include <array>

#include "base/error.h"
#include "base/library.h"
#include "text/newer_unicode.h"

namespace lmpo {
namespace {

// What is used of the library.
struct Library {
  LoadedLibrary loaded{"libonig.so.5"};
  LMPO_LIBRARY_MEMBER(OnigEncodingUTF8);
  LMPO_LIBRARY_MEMBER(OnigSyntaxOniguruma);
  LMPO_LIBRARY_MEMBER(onig_initialize);
  LMPO_LIBRARY_MEMBER(onig_set_retry_limit_in_search);
  LMPO_LIBRARY_MEMBER(onig_set_match_stack_limit_size);
  LMPO_LIBRARY_MEMBER(onig_new);
  LMPO_LIBRARY_MEMBER(onig_free);
  LMPO_LIBRARY_MEMBER(onig_search);
  LMPO_LIBRARY_MEMBER(onig_region_new);
  LMPO_LIBRARY_MEMBER(onig_region_free);
  LMPO_LIBRARY_MEMBER(onig_error_code_to_str);
};

Library set_up_library() {
  Library library;
  if (library.loaded.missing().empty()) {
    OnigEncoding encoding = library.OnigEncodingUTF8;
    LMPO_CHECK(library.onig_initialize(&encoding, 1) == ONIG_NORMAL);
    // Without limits of its own it would search for days, or fill the memory.
    constexpr unsigned long kMostRetries = 100'000'000;
    constexpr unsigned kMostOpenChoices = 2'000'000;
    library.onig_set_retry_limit_in_search(kMostRetries);
    library.onig_set_match_stack_limit_size(kMostOpenChoices);
  }
  return library;
}

// Loaded for the first pattern that needs it: few do, and loading it costs every command a tenth of
// the time until it starts to work.
const Library& library() {
  static const Library loaded = set_up_library();
  return loaded;
}

const OnigUChar* onig_units(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

}  // namespace

Oniguruma::Oniguruma(const std::string& pattern, std::string_view where) : where_(where) {
  if (const std::string& missing = library().loaded.missing(); !missing.empty()) {
    user_error("{}: the pattern '{}' {}", where, pattern,
               needs_library("Oniguruma", missing, "libonig5"));
  }
  const std::string wide = with_newer_characters(pattern);
  regex_t* code = nullptr;
  OnigErrorInfo info{};
  const int error =
      library().onig_new(&code, onig_units(wide), onig_units(wide) + wide.size(), ONIG_OPTION_NONE,
                         library().OnigEncodingUTF8, library().OnigSyntaxOniguruma, &info);
  if (error != ONIG_NORMAL) {
    std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> message{};
    const int size = library().onig_error_code_to_str(message.data(), error, &info);
    user_error("{}: the pattern '{}' cannot be read: {}", where, pattern,
               std::string_view(reinterpret_cast<const char*>(message.data()),
                                static_cast<std::size_t>(size)));
  }
  code_ = std::shared_ptr<regex_t>(code, library().onig_free);
}

std::optional<Span> Oniguruma::search(std::string_view text, std::size_t start) const {
  const std::unique_ptr<OnigRegion, void (*)(OnigRegion*)> region(
      library().onig_region_new(), [](OnigRegion* each) { library().onig_region_free(each, 1); });
  const OnigUChar* begin = onig_units(text);
  const OnigUChar* end = begin + text.size();
  const int found = library().onig_search(code_.get(), begin, end, begin + start, end, region.get(),
                                          ONIG_OPTION_NONE);
  if (found == ONIG_MISMATCH) {
    return std::nullopt;
  }
  if (found < 0) {
    std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> message{};
    const int size = library().onig_error_code_to_str(message.data(), found);
    user_error("{}: the pattern cannot be applied to a text of {} bytes: {}", where_, text.size(),
               std::string_view(reinterpret_cast<const char*>(message.data()),
                                static_cast<std::size_t>(size)));
  }
  return Span{static_cast<std::size_t>(region->beg[0]), static_cast<std::size_t>(region->end[0])};
}

}  // namespace lmpo
