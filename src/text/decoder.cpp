#include "text/decoder.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

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

Decoder read_byte_level_decoder(const JsonPart&) {
  return [](Tokens& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) {
      append_bytes(token, bytes);
    }
    tokens = {replace_invalid_utf8(bytes)};
  };
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
Decoder read_metaspace_decoder(const JsonPart& part) {
  const bool prepended = read_prepend_scheme(part) != PrependScheme::never;
  return [prepended, mark = literal_pattern(read_metaspace_replacement(part))](Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replace_all(tokens[i], mark(tokens[i]), i == 0 && prepended ? "" : " ");
    }
  };
}

Decoder read_replace_decoder(const JsonPart& part) {
  return [pattern = read_pattern(part), content = part.required<std::string>("content"),
          where = part.where()](Tokens& tokens) {
    std::size_t total = 0;
    for (std::string& token : tokens) {
      const auto matches = pattern(token);
      total += replaced_size(token, matches, content);
      check_growth(total, kLongestDecoded, where);
      token = replace_all(token, matches, content);
    }
  };
}

// Takes up to `start` of the character off the beginning of every token and up to `stop` off its
// end.
Decoder read_strip(const JsonPart& part) {
  const auto content = required_character(part, "content");
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

std::string replaced_everywhere(const std::string& text, const std::string& literal,
                                std::string_view content) {
  return replace_all(text, literal_pattern(literal)(text), content);
}

// What spaces between the words of English text become.
std::string cleaned_up(std::string text) {
  static const std::pair<const char*, const char*> rules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : rules) {
    text = replaced_everywhere(text, from, to);
  }
  return text;
}

std::string required_text(const JsonPart& part, const char* key) {
  auto text = part.required<std::string>(key);
  if (text.empty()) {
    part.refuse("key '{}': an empty text is not supported", key);
  }
  return text;
}

// Spaces come before words; what continues one has the prefix, which vanishes.
Decoder read_word_piece(const JsonPart& part) {
  return [prefix = part.required<std::string>("prefix"),
          cleanup = part.required<bool>("cleanup")](Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0 && tokens[i].starts_with(prefix)) {
        tokens[i].erase(0, prefix.size());
      } else if (i > 0) {
        tokens[i].insert(0, 1, ' ');
      }
      if (cleanup) {
        tokens[i] = cleaned_up(std::move(tokens[i]));
      }
    }
  };
}

// The mark at the ends of words becomes a space, at the end of the text nothing.
Decoder read_bpe_decoder(const JsonPart& part) {
  return [suffix = required_text(part, "suffix")](Tokens& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = replaced_everywhere(tokens[i], suffix, i + 1 < tokens.size() ? " " : "");
    }
  };
}

// Repeated tokens are one; padding vanishes.
Decoder read_ctc(const JsonPart& part) {
  return [pad = required_text(part, "pad_token"),
          delimiter = required_text(part, "word_delimiter_token"),
          cleanup = part.required<bool>("cleanup")](Tokens& tokens) {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      token = replaced_everywhere(token, pad, "");
      if (cleanup) {
        token = replaced_everywhere(cleaned_up(std::move(token)), delimiter, " ");
      }
    }
    std::erase(tokens, "");
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
      {"BPEDecoder", read_bpe_decoder},
      {"ByteFallback", read_byte_fallback},
      {"ByteLevel", read_byte_level_decoder},
      {"CTC", read_ctc},
      {"Fuse", read_fuse},
      {"Metaspace", read_metaspace_decoder},
      {"Replace", read_replace_decoder},
      {"Sequence", read_decoder_sequence},
      {"Strip", read_strip},
      {"WordPiece", read_word_piece}};
  return part.absent() ? put_spaces_between : choose_by_type(part, known)(part);
}

}  // namespace lmpo
