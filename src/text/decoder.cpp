#include "text/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/normalizer.h"
#include "text/pattern.h"
#include "text/pre_tokenizer.h"

namespace lmpo {
namespace {

using Tokens = std::vector<std::string>;

// The most bytes of all tokens together.
constexpr std::size_t kLongestDecoded = std::size_t{64} << 20;

// A token made of stand-ins only becomes its bytes; any other is kept as it is.
void append_bytes(const std::string& token, std::string& bytes) {
  const std::size_t before = bytes.size();
  for (std::size_t at = 0; at < token.size(); at += utf8_size(token[at])) {
    const auto byte = byte_of_character(first_code_point(std::string_view(token).substr(at)));
    if (!byte) {
      bytes.replace(before, std::string::npos, token);
      return;
    }
    bytes += static_cast<char>(*byte);
  }
}

Decoder read_byte_level(const JsonPart&) {
  return [](Tokens& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) {
      append_bytes(token, bytes);
    }
    tokens = {replace_invalid_utf8(bytes)};
  };
}

// The byte that a token like <0x0A> stands for.
std::optional<char> fallback_byte(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) {
    return std::nullopt;
  }
  unsigned byte = 0;
  const char* digits = token.data() + 3;
  const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
  return error == std::errc() && end == digits + 2 ? std::optional(static_cast<char>(byte))
                                                   : std::nullopt;
}

// Runs of byte tokens become text; a run that is not valid becomes one U+FFFD a byte.
Decoder read_byte_fallback(const JsonPart&) {
  return [](Tokens& tokens) {
    Tokens out;
    std::string run;
    const auto finish_run = [&] {
      if (is_valid_utf8(run)) {
        out.push_back(run);
      } else {
        out.insert(out.end(), run.size(), "\uFFFD");
      }
      run.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = fallback_byte(token)) {
        run += *byte;
        continue;
      }
      if (!run.empty()) {
        finish_run();
      }
      out.push_back(std::move(token));
    }
    if (!run.empty()) {
      finish_run();
    }
    tokens = std::move(out);
  };
}

Decoder read_fuse(const JsonPart&) {
  return [](Tokens& tokens) {
    std::string fused;
    for (const std::string& token : tokens) {
      fused += token;
    }
    tokens = {std::move(fused)};
  };
}

// Marks become spaces; in the first token they vanish where the encoder would have put one there.
Decoder read_metaspace(const JsonPart& part) {
  const bool prepended = read_prepend_scheme(part) != PrependScheme::never;
  return [prepended, mark = literal_pattern(read_metaspace_replacement(part))](Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], mark(tokens[i]), i == 0 && prepended ? "" : " ");
    }
  };
}

Decoder read_replace(const JsonPart& part) {
  return [pattern = read_pattern(part), content = part.required<std::string>("content"),
          where = part.where()](Tokens& tokens) {
    std::size_t total = 0;
    for (std::string& token : tokens) {
      // The reference does not ask the pattern about an empty token.
      if (!token.empty()) {
        const auto matches = pattern(token);
        total += replaced_size(token, matches, content);
        check_growth(total, kLongestDecoded, where);
        token = replace_all(token, matches, content);
      }
    }
  };
}

// Takes up to `start` of the character off the beginning of every token and up to `stop` off its
// end.
Decoder read_strip(const JsonPart& part) {
  const auto content = part.required<std::string>("content");
  if (content.empty() || utf8_size(content[0]) != content.size()) {
    part.refuse("key 'content': one character was expected, not '{}'", content);
  }
  const auto count = [&](const char* key) {
    const auto value = part.required<std::int64_t>(key);
    if (value < 0) {
      part.refuse("key '{}': {} is negative", key, value);
    }
    return value;
  };
  return [content, start = count("start"), stop = count("stop")](Tokens& tokens) {
    for (std::string& token : tokens) {
      std::string_view rest = token;
      for (std::int64_t i = 0; i < start && rest.starts_with(content); ++i) {
        rest.remove_prefix(content.size());
      }
      for (std::int64_t i = 0; i < stop && rest.ends_with(content); ++i) {
        rest.remove_suffix(content.size());
      }
      token = std::string(rest);
    }
  };
}

Decoder read_decoder_sequence(const JsonPart& part) {
  std::vector<Decoder> steps;
  for (const JsonPart& step : part.child("decoders").elements()) {
    steps.push_back(read_decoder(step));
  }
  return [steps = std::move(steps)](Tokens& tokens) {
    for (const Decoder& step : steps) {
      step(tokens);
    }
  };
}

void put_spaces_between(Tokens& tokens) {
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    tokens[i].insert(0, 1, ' ');
  }
}

}  // namespace

Decoder read_decoder(const JsonPart& part) {
  static const std::map<std::string, Decoder (*)(const JsonPart&)> known = {
      {"ByteFallback", read_byte_fallback},
      {"ByteLevel", read_byte_level},
      {"Fuse", read_fuse},
      {"Metaspace", read_metaspace},
      {"Replace", read_replace},
      {"Sequence", read_decoder_sequence},
      {"Strip", read_strip}};
  return part.absent() ? put_spaces_between : choose_by_type(part, known)(part);
}

}  // namespace lmpo
