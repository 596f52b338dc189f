#include "grade/sentences.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "grade/nltk_regex.h"
#include "grade/punkt_model.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

// What ends a word: marks and quotes.
#define LMPO_NO_WORD R"re([)";}\]*:@'({\[\x{2018}\x{2019}\x{201c}\x{201d}\x{ab}\x{bb}?!])re"
#define LMPO_MARKS R"((?:-{2,}|\.{2,}|(?:\.[@s]){2,}\.))"

// A word or mark of a text that may hold the end of a sentence.
struct Token {
  explicit Token(std::string_view given)
      : text(given), type(type_of(given)), ends_with_period(given.ends_with('.')) {}

  static std::string type_of(std::string_view text) {
    static const Regex number = nltk_regex(R"(^-?[.,]?\p{Nd}[\p{Nd},.-]*\.?$)");
    std::string lowered = lower(text);
    return number.is_in(lowered) ? "##number##" : lowered;
  }
  std::string_view first_character() const { return text.substr(0, utf8_size(text[0])); }
  bool begins_upper() const { return is_upper(first_character()); }
  bool begins_lower() const { return is_lower(first_character()); }
  bool is_initial() const {
    static const Regex initial = nltk_regex(R"(^(?!\p{Nd})[@w]\.$)");
    return initial.is_in(text);
  }
  std::string_view type_without_period() const {
    const std::string_view whole = type;
    return whole.size() > 1 && whole.ends_with('.') ? whole.substr(0, whole.size() - 1) : whole;
  }
  // Without the full stop if it ends a sentence.
  std::string_view type_without_end() const {
    return ends_sentence ? type_without_period() : std::string_view(type);
  }

  std::string_view text;
  std::string type;
  bool ends_with_period;
  bool ends_sentence = false;
  bool is_abbreviation = false;
  bool is_ellipsis = false;
};

bool is_abbreviated(std::string_view word) {
  const std::string lowered = lower(word);
  const std::set<std::string_view>& known = PunktModel::get().abbreviations;
  return known.contains(lowered) || known.contains(split(lowered, "-").back());
}

// The first pass looks at each token alone.
void classify(Token& token) {
  if (token.text == "." || token.text == "?" || token.text == "!") {
    token.ends_sentence = true;
  } else if (token.text.size() > 1 && token.text.find_first_not_of('.') == std::string_view::npos) {
    token.is_ellipsis = true;
  } else if (token.ends_with_period && !token.text.ends_with("..")) {
    token.is_abbreviation = is_abbreviated(token.text.substr(0, token.text.size() - 1));
    token.ends_sentence = !token.is_abbreviation;
  }
}

// Whether a sentence begins with the token, by how the word is written; nothing where that does not
// tell.
std::optional<bool> begins_sentence(const Token& token) {
  constexpr std::string_view kPunctuation = ";:,.!?";
  if (token.text.size() == 1 && kPunctuation.find(token.text[0]) != std::string_view::npos) {
    return false;
  }
  const WordUse use = PunktModel::get().use_of(token.type_without_end());
  if (token.begins_upper() &&
      (use == WordUse::begins_in_lower_case || use == WordUse::capital_begins)) {
    return true;
  }
  if (token.begins_lower() && use != WordUse::begins_in_lower_case) {
    return false;
  }
  return std::nullopt;
}

// The second pass looks at a token that ends with a full stop and at the next one.
void reclassify(Token& token, const Token& next) {
  const PunktModel& model = PunktModel::get();
  const std::string_view type = token.type_without_period();
  const std::string_view next_type = next.type_without_end();
  const auto make_abbreviation = [&token] {
    token.ends_sentence = false;
    token.is_abbreviation = true;
  };
  if (model.collocations.contains(std::string(type) + " " + std::string(next_type))) {
    make_abbreviation();
    return;
  }
  const bool is_initial = token.is_initial();
  const std::optional<bool> begins = begins_sentence(next);
  if ((token.is_abbreviation || token.is_ellipsis) && !is_initial &&
      (begins == true || (next.begins_upper() && model.sentence_starters.contains(next_type)))) {
    token.ends_sentence = true;
    return;
  }
  if (is_initial || type == "##number##") {
    const bool is_name =
        !begins && is_initial && next.begins_upper() && model.use_of(next_type) == WordUse::unknown;
    if (begins == false || is_name) {
      make_abbreviation();
    }
  }
}

// Whether a sentence ends within the text, that is, before its last token.
bool has_end(std::string_view text) {
  static const Regex words = nltk_regex(
      LMPO_MARKS R"(|(?=[^(\"`{\[:;&#*@)}\]\-,])[^@s]+?(?=[@s]|$|)" LMPO_NO_WORD "|" LMPO_MARKS
                 R"(|,(?=$|[@s]|)" LMPO_NO_WORD "|" LMPO_MARKS R"())|[^@s])");
  std::vector<Token> tokens;
  for (const std::string_view line : split(text, "\n")) {
    if (is_blank(line)) {
      continue;
    }
    for (const Span& span : words.find_all(line)) {
      classify(tokens.emplace_back(span.of(line)));
    }
  }
  bool found = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (found) {
      return true;
    }
    if (i + 1 < tokens.size() && tokens[i].ends_with_period) {
      reclassify(tokens[i], tokens[i + 1]);
    }
    found = tokens[i].ends_sentence;
  }
  return false;
}

// A mark where a sentence may end.
struct Candidate {
  Span word;  // the word before the mark
  Span mark;
  Span after;            // white space and the next word, or a mark that is no part of a word
  std::size_t next = 0;  // where the next word begins; 0 if a mark follows

  // What the decision depends on.
  std::string_view context(std::string_view text) const {
    return text.substr(word.begin, after.end - word.begin);
  }
};

std::size_t last_white_space(std::string_view text) {
  const std::size_t at = text.find_last_of(" \t\n\r\v\f");
  return at == std::string_view::npos ? 0 : at;
}

// Where sentences may end. Of marks that belong to one word the last one counts.
std::vector<Candidate> candidates(std::string_view text) {
  static const Regex ends = nltk_regex("[.?!](?=(" LMPO_NO_WORD "|[@s]+([^@s]+)))");
  std::vector<Candidate> found;
  Span before;  // the word before the last mark
  for (const std::vector<Span>& groups : ends.find_groups(text)) {
    // As in nltk, white space right after the last word counts as none.
    const std::size_t space =
        last_white_space(text.substr(before.end, groups[0].begin - before.end));
    const Span word{space != 0 ? before.end + space + 1 : before.begin, groups[0].begin};
    if (!found.empty() && before.end > word.begin) {
      found.pop_back();
    }
    found.push_back({word, groups[0], groups[1], groups[2].begin});
    before = word;
  }
  return found;
}

// The end of quotes and brackets that close the sentence before; 0 if there are none.
std::size_t closing_marks(std::string_view text) {
  static const Regex closing = nltk_regex(
      R"((?m)\A["')\]}\x{2018}\x{2019}\x{201c}\x{201d}\x{ab}\x{bb}]+?(?:[@s]+|(?=--)|$))");
  const std::vector<Span> found = closing.find_all(text);
  return found.empty() ? 0 : found.front().end;
}

// Moves marks that begin a sentence and close the one before to that one.
std::vector<Span> realigned(std::string_view text, const std::vector<Span>& parts) {
  std::vector<Span> result;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Span part{parts[i].begin + moved, parts[i].end};
    moved = i + 1 < parts.size() ? closing_marks(parts[i + 1].of(text)) : 0;
    if (moved > 0) {
      const std::string_view marks = text.substr(parts[i + 1].begin, moved);
      part.end = parts[i + 1].begin + jinja::strip(marks, {}, false, true).size();
    }
    if (moved > 0 || part.begin < part.end) {
      result.push_back(part);
    }
  }
  return result;
}

}  // namespace

std::vector<std::string_view> sentences(std::string_view text) {
  std::vector<Span> parts;
  std::size_t begin = 0;
  for (const Candidate& each : candidates(text)) {
    if (has_end(each.context(text))) {
      parts.push_back({begin, each.mark.end});
      begin = each.next != 0 ? each.next : each.mark.end;
    }
  }
  parts.push_back({begin, jinja::strip(text, {}, false, true).size()});
  std::vector<std::string_view> result;
  for (const Span& part : realigned(text, parts)) {
    result.push_back(part.begin < part.end ? part.of(text) : std::string_view());
  }
  return result;
}

std::size_t count_words(std::string_view text) {
  static const Regex words = nltk_regex("[@w]+");
  return words.find_all(text).size();
}

}  // namespace lmpo::grade
