#include "text/regex.h"

#include <array>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "text/newer_unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace lmpo {
namespace {

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(error, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

struct Compiled {
  std::shared_ptr<const pcre2_code> code;  // null after an error
  int error = 0;
  PCRE2_SIZE offset = 0;
};

Compiled compile(const std::string& pattern) {
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  Compiled result;
  pcre2_code* code =
      pcre2_compile(units(pattern), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                    &result.error, &result.offset, context.get());
  if (code != nullptr) {
    result.code = std::shared_ptr<const pcre2_code>(code, pcre2_code_free);
    // Without a compiler for this machine, matching falls back to the interpreter.
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  }
  return result;
}

std::shared_ptr<const pcre2_code> compile_or_throw(const std::string& pattern,
                                                   std::string_view where) {
  Compiled compiled = compile(pattern);
  if (!compiled.code) {
    user_error("{}: the pattern '{}' cannot be read: {} (at byte {})", where, pattern,
               message_of(compiled.error), compiled.offset);
  }
  return std::move(compiled.code);
}

// Bounds the memory of the interpreter, whose own limit is 20 GB. A pattern that needs more is an
// error.
const pcre2_match_context* match_limits() {
  static const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context =
      [] {
        constexpr std::uint32_t kMostMemory = 256 << 10;  // KiB
        pcre2_match_context* made = pcre2_match_context_create(nullptr);
        pcre2_set_heap_limit(made, kMostMemory);
        return std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)>(
            made, pcre2_match_context_free);
      }();
  return context.get();
}

// A match is the span of it, or the spans of it and of its groups.
const Span& span_of(const Span& match) {
  return match;
}
const Span& span_of(const std::vector<Span>& groups) {
  return groups.front();
}

// All matches that `search` finds from a place on.
template <typename Search>
auto all_matches(std::string_view text, const Search& search) {
  std::vector<typename std::invoke_result_t<Search, std::size_t>::value_type> found;
  std::optional<std::size_t> last_end;
  for (std::size_t at = 0; at <= text.size();) {
    auto match = search(at);
    if (!match) {
      break;
    }
    const Span span = span_of(*match);
    if (span.size() == 0 && last_end == span.end) {
      at += at < text.size() ? utf8_size(text[at]) : 1;
      continue;
    }
    found.push_back(std::move(*match));
    at = span.end;
    last_end = span.end;
  }
  return found;
}

// One pattern over one text.
class Search {
 public:
  // `code`, `text` and `where` must outlive the object.
  Search(const pcre2_code* code, std::string_view text, std::uint32_t spans,
         const std::string& where)
      : code_(code),
        text_(text),
        where_(where),
        data_(pcre2_match_data_create(spans, nullptr), pcre2_match_data_free) {}

  // Begin and end of the first match from `start` on and then of its groups; null without a match.
  const PCRE2_SIZE* from(std::size_t start) const {
    int result = match(start, 0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = match(start, PCRE2_NO_JIT);
    }
    if (result == PCRE2_ERROR_NOMATCH) {
      return nullptr;
    }
    if (result < 0) {
      user_error("{}: the pattern cannot be applied to a text of {} bytes: {}", where_,
                 text_.size(), message_of(result));
    }
    return pcre2_get_ovector_pointer(data_.get());
  }

 private:
  int match(std::size_t start, std::uint32_t options) const {
    return pcre2_match(code_, units(text_), text_.size(), start, PCRE2_NO_UTF_CHECK | options,
                       data_.get(), const_cast<pcre2_match_context*>(match_limits()));
  }

  const pcre2_code* code_;
  std::string_view text_;
  const std::string& where_;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data_;
};

}  // namespace

Regex::Regex(const std::string& pattern, std::string_view where)
    : Regex(compile_or_throw(pattern, where), pattern, where) {}

Regex::Regex(std::shared_ptr<const pcre2_code> code, const std::string& pattern,
             std::string_view where)
    : code_(std::move(code)), where_(where) {
  if (!code_) {
    oniguruma_.emplace(pattern, where);
  } else if (const std::string newer = with_newer_characters(pattern); newer != pattern) {
    newer_code_ = compile_or_throw(newer, where);
  }
}

Regex Regex::oniguruma(std::string_view pattern, std::string_view where) {
  if (const auto translated = oniguruma_to_pcre2(pattern)) {
    if (Compiled compiled = compile(*translated); compiled.code) {
      return Regex(std::move(compiled.code), *translated, where);
    }
  }
  return Regex(nullptr, std::string(pattern), where);
}

const pcre2_code* Regex::code_for(std::string_view text) const {
  return newer_code_ && has_newer_character(text) ? newer_code_.get() : code_.get();
}

std::vector<Span> Regex::find_all(std::string_view text) const {
  if (oniguruma_) {
    return all_matches(text, [&](std::size_t at) { return oniguruma_->search(text, at); });
  }
  const Search search(code_for(text), text, 1, where_);
  return all_matches(text, [&](std::size_t at) -> std::optional<Span> {
    const PCRE2_SIZE* bounds = search.from(at);
    return bounds == nullptr ? std::nullopt : std::optional(Span{bounds[0], bounds[1]});
  });
}

std::vector<std::vector<Span>> Regex::find_groups(std::string_view text) const {
  LMPO_CHECK(!oniguruma_);
  std::uint32_t groups = 0;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
  const Search search(code_for(text), text, groups + 1, where_);
  return all_matches(text, [&](std::size_t at) -> std::optional<std::vector<Span>> {
    const PCRE2_SIZE* bounds = search.from(at);
    if (bounds == nullptr) {
      return std::nullopt;
    }
    std::vector<Span> spans(groups + 1);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      if (bounds[2 * i] != PCRE2_UNSET) {
        spans[i] = {bounds[2 * i], bounds[2 * i + 1]};
      }
    }
    return spans;
  });
}

bool Regex::is_in(std::string_view text) const {
  return oniguruma_ ? oniguruma_->search(text, 0).has_value()
                    : Search(code_for(text), text, 1, where_).from(0) != nullptr;
}

}  // namespace lmpo
