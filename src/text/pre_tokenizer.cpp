#include "text/pre_tokenizer.h"

#include <algorithm>

#include "text/byte_level.h"
#include "text/normalizer.h"
#include "text/pattern.h"
#include "text/reference_unicode.h"
#include "text/regex.h"

namespace lmpo {
namespace {

// What becomes of the text that a pattern matches.
enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct Part {
  Span span;
  bool match;
};

// The whole text in parts: the matches and what lies between them.
std::vector<Part> cover(const std::vector<Span>& matches, std::size_t size, bool invert) {
  std::vector<Part> parts;
  std::size_t at = 0;
  for (const Span match : matches) {
    if (at != match.begin) {
      parts.push_back({{at, match.begin}, invert});
    }
    parts.push_back({match, !invert});
    at = match.end;
  }
  if (at != size) {
    parts.push_back({{at, size}, invert});
  }
  return parts;
}

// Joins parts to the one before them where the behavior says so.
std::vector<Part> joined(const std::vector<Part>& parts, Behavior behavior) {
  std::vector<Part> result;
  bool previous_match = false;
  for (const Part& part : parts) {
    const bool join = behavior == Behavior::contiguous ? part.match == previous_match
                                                       : part.match && !previous_match;
    if (join && !result.empty()) {
      Span& last = result.back().span;
      last = {std::min(last.begin, part.span.begin), std::max(last.end, part.span.end)};
    } else {
      result.push_back(part);
    }
    previous_match = part.match;
  }
  return result;
}

std::vector<Part> apply(Behavior behavior, std::vector<Part> parts) {
  switch (behavior) {
    case Behavior::removed:
      std::erase_if(parts, [](const Part& part) { return part.match; });
      return parts;
    case Behavior::isolated:
      return parts;
    case Behavior::contiguous:
    case Behavior::merged_with_previous:
      return joined(parts, behavior);
    case Behavior::merged_with_next:
      std::reverse(parts.begin(), parts.end());
      parts = joined(parts, behavior);
      std::reverse(parts.begin(), parts.end());
      return parts;
  }
  return parts;
}

void split(Words& words, const Pattern& pattern, Behavior behavior, bool invert) {
  std::vector<Span> spans;
  for (const Span word : words.spans) {
    const auto matches = pattern(word.of(words.text));
    for (const Part& part : apply(behavior, cover(matches, word.size(), invert))) {
      if (part.span.size() > 0) {
        spans.push_back({word.begin + part.span.begin, word.begin + part.span.end});
      }
    }
  }
  words.spans = std::move(spans);
}

// Writes every word anew: `prefix` says what comes before a word (given the word and whether it
// begins the input), `character` what stands for one character.
template <typename Prefix, typename Character>
void rewrite(Words& words, const Prefix& prefix, const Character& character) {
  Words out;
  out.text.reserve(words.text.size() + words.text.size() / 4);
  for (const Span word : words.spans) {
    const std::size_t begin = out.text.size();
    const bool first = word.begin < words.head;
    out.text += prefix(word.of(words.text), first);
    for (std::size_t at = word.begin; at < word.end;) {
      const std::size_t size = utf8_size(words.text[at]);
      character(std::string_view(words.text).substr(at, size), out.text);
      at += size;
      if (at <= words.head) {
        out.head = out.text.size();
      }
    }
    out.spans.push_back({begin, out.text.size()});
  }
  words = std::move(out);
}

// Writes every byte as its stand-in.
void write_stand_ins(Words& words) {
  Words out;
  out.text.reserve(words.text.size() + words.text.size() / 2);
  for (const Span word : words.spans) {
    const std::size_t begin = out.text.size();
    const std::size_t head_end = std::clamp(words.head, word.begin, word.end);
    append_stand_ins(Span{word.begin, head_end}.of(words.text), out.text);
    if (head_end > word.begin) {
      out.head = out.text.size();
    }
    append_stand_ins(Span{head_end, word.end}.of(words.text), out.text);
    out.spans.push_back({begin, out.text.size()});
  }
  words = std::move(out);
}

PreTokenizer splitting(const Pattern& pattern, Behavior behavior, bool invert = false) {
  return [pattern, behavior, invert](Words& words) { split(words, pattern, behavior, invert); };
}

Behavior read_behavior(const JsonPart& part, std::string_view fallback = "") {
  static const std::map<std::string, Behavior> known = {
      {"Removed", Behavior::removed},
      {"Isolated", Behavior::isolated},
      {"MergedWithPrevious", Behavior::merged_with_previous},
      {"MergedWithNext", Behavior::merged_with_next},
      {"Contiguous", Behavior::contiguous}};
  const auto name = fallback.empty()
                        ? part.required<std::string>("behavior")
                        : part.optional<std::string>("behavior", std::string(fallback));
  const auto found = known.find(name);
  if (found == known.end()) {
    part.refuse(
        "key 'behavior': '{}' is not one of Removed, Isolated, MergedWithPrevious, "
        "MergedWithNext, Contiguous",
        name);
  }
  return found->second;
}

PreTokenizer read_split(const JsonPart& part) {
  return splitting(read_pattern(part), read_behavior(part), part.required<bool>("invert"));
}

PreTokenizer read_byte_level(const JsonPart& part) {
  // The pattern of GPT-2.
  static const Regex gpt2 = Regex::oniguruma(
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
      "pre_tokenizer");
  const bool add_space = part.required<bool>("add_prefix_space");
  const bool use_regex = part.optional<bool>("use_regex", true);
  return [add_space, use_regex](Words& words) {
    if (add_space) {
      rewrite(
          words, [](std::string_view word, bool) { return word.starts_with(' ') ? "" : " "; },
          [](std::string_view character, std::string& out) { out += character; });
    }
    if (use_regex) {
      split(
          words, [](std::string_view text) { return gpt2.find_all(text); }, Behavior::isolated,
          false);
    }
    write_stand_ins(words);
  };
}

PreTokenizer read_metaspace(const JsonPart& part) {
  const std::string mark = read_metaspace_replacement(part);
  const PrependScheme scheme = read_prepend_scheme(part);
  const bool cut = part.optional<bool>("split", true);
  return [mark, scheme, cut, pattern = literal_pattern(mark)](Words& words) {
    rewrite(
        words,
        [&](std::string_view word, bool first) {
          const bool wanted =
              scheme == PrependScheme::always || (scheme == PrependScheme::first && first);
          const bool there = word.starts_with(' ') || word.starts_with(mark);
          return wanted && !there ? std::string_view(mark) : std::string_view();
        },
        [&](std::string_view character, std::string& out) {
          out += character == " " ? std::string_view(mark) : character;
        });
    if (cut) {
      split(words, pattern, Behavior::merged_with_next, false);
    }
  };
}

PreTokenizer read_digits(const JsonPart& part) {
  return splitting(character_pattern(is_number), part.required<bool>("individual_digits")
                                                     ? Behavior::isolated
                                                     : Behavior::contiguous);
}

PreTokenizer read_punctuation(const JsonPart& part) {
  return splitting(character_pattern(is_punctuation), read_behavior(part, "Isolated"));
}

PreTokenizer read_whitespace(const JsonPart&) {
  static const Regex words(
      "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]+|"
      "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}\\p{White_Space}]+",
      "pre_tokenizer");
  return splitting([](std::string_view text) { return words.find_all(text); }, Behavior::removed,
                   true);
}

PreTokenizer split_at_white_space() {
  return splitting(character_pattern(is_white_space), Behavior::removed);
}

PreTokenizer bert_pre_tokenizer() {
  return [at_space = split_at_white_space(),
          at_punctuation =
              splitting(character_pattern(is_punctuation), Behavior::isolated)](Words& words) {
    at_space(words);
    at_punctuation(words);
  };
}

PreTokenizer read_char_delimiter_split(const JsonPart& part) {
  return splitting(literal_pattern(required_character(part, "delimiter")), Behavior::removed);
}

PreTokenizer read_fixed_length(const JsonPart& part) {
  const auto length = part.required<std::int64_t>("length");
  if (length < 1) {
    part.refuse("key 'length': a positive number was expected, not {}", length);
  }
  const auto pattern = [length](std::string_view text) {
    std::vector<Span> found;
    std::int64_t count = length;
    for (std::size_t at = 0; at < text.size(); ++count) {
      if (count == length) {
        found.push_back({at, at});
        count = 0;
      }
      at += utf8_size(text[at]);
      found.back().end = at;
    }
    return found;
  };
  return splitting(pattern, Behavior::isolated);
}

PreTokenizer read_pre_tokenizer_sequence(const JsonPart& part) {
  std::vector<PreTokenizer> steps;
  for (const JsonPart& step : part.child("pretokenizers").elements()) {
    steps.push_back(read_pre_tokenizer(step));
  }
  return [steps = std::move(steps), where = part.where()](Words& words) {
    const std::size_t longest = longest_result(words.text.size());
    for (const PreTokenizer& step : steps) {
      step(words);
      check_growth(words.text.size(), longest, where);
    }
  };
}

}  // namespace

PreTokenizer read_pre_tokenizer(const JsonPart& part) {
  static const std::map<std::string, PreTokenizer (*)(const JsonPart&)> known = {
      {"BertPreTokenizer", [](const JsonPart&) { return bert_pre_tokenizer(); }},
      {"ByteLevel", read_byte_level},
      {"CharDelimiterSplit", read_char_delimiter_split},
      {"Digits", read_digits},
      {"FixedLength", read_fixed_length},
      {"Metaspace", read_metaspace},
      {"Punctuation", read_punctuation},
      {"Sequence", read_pre_tokenizer_sequence},
      {"Split", read_split},
      {"Whitespace", read_whitespace},
      {"WhitespaceSplit", [](const JsonPart&) { return split_at_white_space(); }}};
  return part.absent() ? [](Words&) {} : choose_by_type(part, known)(part);
}

std::string required_character(const JsonPart& part, const char* key) {
  auto text = part.required<std::string>(key);
  if (text.empty() || utf8_size(text[0]) != text.size()) {
    part.refuse("key '{}': one character was expected, not '{}'", key, text);
  }
  return text;
}

std::string read_metaspace_replacement(const JsonPart& part) {
  return required_character(part, "replacement");
}

PrependScheme read_prepend_scheme(const JsonPart& part) {
  static const std::map<std::string, PrependScheme> known = {{"always", PrependScheme::always},
                                                             {"first", PrependScheme::first},
                                                             {"never", PrependScheme::never}};
  const auto name = part.optional<std::string>("prepend_scheme", "always");
  const auto found = known.find(name);
  if (found == known.end()) {
    part.refuse("key 'prepend_scheme': '{}' is not one of always, first, never", name);
  }
  // Older files have this switch only.
  const bool add_prefix_space = part.optional<bool>("add_prefix_space", true);
  if (!add_prefix_space && found->second != PrependScheme::never &&
      !part.child("prepend_scheme").absent()) {
    part.refuse("key 'add_prefix_space' is false, but 'prepend_scheme' is '{}'", name);
  }
  return add_prefix_space ? found->second : PrependScheme::never;
}

}  // namespace lmpo
