#include "text/oniguruma.h"

#include <dlfcn.h>
#include <oniguruma.h>

#include <array>

#include "base/error.h"
#include "text/newer_unicode.h"

namespace lmpo {
namespace {

constexpr const char* kLibrary = "libonig.so.5";

// What is used of the library.
#define LMPO_ONIGURUMA(X)            \
  X(OnigEncodingUTF8)                \
  X(OnigSyntaxOniguruma)             \
  X(onig_initialize)                 \
  X(onig_set_retry_limit_in_search)  \
  X(onig_set_match_stack_limit_size) \
  X(onig_new)                        \
  X(onig_free)                       \
  X(onig_search)                     \
  X(onig_region_new)                 \
  X(onig_region_free)                \
  X(onig_error_code_to_str)

// Addresses in the library, or why it could not be loaded.
struct Library {
#define LMPO_MEMBER(name) decltype(&::name) name = nullptr;
  LMPO_ONIGURUMA(LMPO_MEMBER)
#undef LMPO_MEMBER
  std::string missing;
};

Library load_library() {
  Library library;
  void* opened = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  const auto find = [&](auto& address, const char* name) {
    void* found = opened == nullptr ? nullptr : ::dlsym(opened, name);
    if (found == nullptr && library.missing.empty()) {
      library.missing = ::dlerror();
    }
    address = reinterpret_cast<std::remove_reference_t<decltype(address)>>(found);
  };
#define LMPO_FIND(name) find(library.name, #name);
  LMPO_ONIGURUMA(LMPO_FIND)
#undef LMPO_FIND
  return library;
}

Library set_up_library() {
  Library library = load_library();
  if (library.missing.empty()) {
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
  if (!library().missing.empty()) {
    user_error(
        "{}: the pattern '{}' needs the library Oniguruma, which cannot be loaded ({}): install "
        "it, on Debian by: apt install libonig5",
        where, pattern, library().missing);
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
