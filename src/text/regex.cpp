#include "text/regex.h"

#include <array>
#include <optional>
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

// All matches that `search` finds from a place on.
template <typename Search>
std::vector<Span> all_matches(std::string_view text, const Search& search) {
  std::vector<Span> found;
  std::optional<std::size_t> last_end;
  for (std::size_t at = 0; at <= text.size();) {
    const std::optional<Span> span = search(at);
    if (!span) {
      break;
    }
    if (span->size() == 0 && last_end == span->end) {
      at += at < text.size() ? utf8_size(text[at]) : 1;
      continue;
    }
    found.push_back(*span);
    at = span->end;
    last_end = span->end;
  }
  return found;
}

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

std::vector<Span> Regex::find_all(std::string_view text) const {
  if (oniguruma_) {
    return all_matches(text, [&](std::size_t at) { return oniguruma_->search(text, at); });
  }
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const pcre2_code* code =
      newer_code_ && has_newer_character(text) ? newer_code_.get() : code_.get();
  const auto match = [&](std::size_t start, std::uint32_t options) {
    return pcre2_match(code, units(text), text.size(), start, PCRE2_NO_UTF_CHECK | options,
                       data.get(), const_cast<pcre2_match_context*>(match_limits()));
  };
  return all_matches(text, [&](std::size_t at) -> std::optional<Span> {
    int result = match(at, 0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
      result = match(at, PCRE2_NO_JIT);
    }
    if (result == PCRE2_ERROR_NOMATCH) {
      return std::nullopt;
    }
    if (result < 0) {
      user_error("{}: the pattern cannot be applied to a text of {} bytes: {}", where_, text.size(),
                 message_of(result));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    return Span{bounds[0], bounds[1]};
  });
}

}  // namespace lmpo
