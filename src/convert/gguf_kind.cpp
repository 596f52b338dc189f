#include "convert/gguf_kind.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "convert/gguf_words.h"

namespace lmpo {
namespace {

constexpr const char* metaspace = "\u2581";

bool is_type(const JsonPart& part, std::string_view type) {
  return !part.absent() && part.optional<std::string>("type", "") == type;
}

bool is_byte_level(const JsonPart& part, bool use_regex) {
  return is_type(part, "ByteLevel") && !part.optional<bool>("add_prefix_space", true) &&
         part.optional<bool>("use_regex", true) == use_regex;
}

// The elements of a Sequence, or the part alone; none for an absent one.
std::vector<JsonPart> steps(const JsonPart& part, std::string_view elements) {
  if (is_type(part, "Sequence")) {
    return part.child(elements).elements();
  }
  return part.absent() ? std::vector<JsonPart>() : std::vector<JsonPart>{part};
}

// Whether the part cuts words by this regular expression.
bool is_split(const JsonPart& part, std::string_view pattern) {
  return is_type(part, "Split") && part.optional<std::string>("behavior", "") == "Isolated" &&
         !part.optional<bool>("invert", false) &&
         part.child("pattern").optional<std::string>("Regex", "") == pattern;
}

bool cuts_as(const std::vector<JsonPart>& parts, const GgufWords& words) {
  switch (words.form) {
    case WordForm::byte_level:
      return parts.size() == 1 && is_byte_level(parts[0], true);
    case WordForm::digits:
      return parts.size() == 2 && is_type(parts[0], "Digits") &&
             parts[0].optional<bool>("individual_digits", false) && is_byte_level(parts[1], true);
    case WordForm::patterns:
      return parts.size() == words.patterns.size() + 1 && is_byte_level(parts.back(), false) &&
             std::ranges::equal(std::span(parts).first(words.patterns.size()), words.patterns,
                                is_split);
  }
  return false;
}

// Of llama.cpp's ways that cut so, the first that also takes ignore_merges as the model does; else
// the first.
const GgufWords& recognize_words(const JsonPart& root) {
  const JsonPart cutting = root.child("pre_tokenizer");
  const std::vector<JsonPart> parts = steps(cutting, "pretokenizers");
  const JsonPart model = root.child("model");
  const bool ignores_merges = model.optional<bool>("ignore_merges", false);
  const GgufWords* found = nullptr;
  for (const GgufWords& words : gguf_words()) {
    const bool better = found == nullptr || (found->ignores_merges != ignores_merges &&
                                             words.ignores_merges == ignores_merges);
    if (better && cuts_as(parts, words)) {
      found = &words;
    }
  }
  if (found == nullptr) {
    cutting.refuse(
        "llama.cpp cannot be told to cut words so; a GGUF file can name the ways of GPT-2, SmolLM, "
        "Llama 3, Qwen 2, Mistral's tekken, GPT-4o and a few others");
  }
  if (found->ignores_merges != ignores_merges) {
    log_warning(
        "{}: ignore_merges is {}, but llama.cpp's tokenizer '{}' takes it as {}: it will cut words "
        "that no merges make in another way",
        model.where(), ignores_merges, found->name, found->ignores_merges);
  }
  return *found;
}

// Spaces become metaspaces in either of two places; what stands there must do no more than that.
bool recognize_space_prefix(const JsonPart& root) {
  const JsonPart cutting = root.child("pre_tokenizer");
  const JsonPart normalizer = root.child("normalizer");
  if (is_type(cutting, "Metaspace") && normalizer.absent() &&
      cutting.optional<std::string>("replacement", metaspace) == metaspace) {
    const auto scheme = cutting.optional<std::string>("prepend_scheme", "always");
    if (scheme == "first") {
      log_warning(
          "{}: prepend_scheme is 'first'; llama.cpp begins with a space after special tokens too",
          cutting.where());
    }
    return scheme != "never";
  }
  std::vector<JsonPart> parts = steps(normalizer, "normalizers");
  const bool prepends = !parts.empty() && is_type(parts[0], "Prepend") &&
                        parts[0].optional<std::string>("prepend", "") == metaspace;
  if (prepends) {
    parts.erase(parts.begin());
  }
  if (!cutting.absent() || parts.size() != 1 || !is_type(parts[0], "Replace") ||
      parts[0].child("pattern").optional<std::string>("String", "") != " " ||
      parts[0].optional<std::string>("content", "") != metaspace) {
    (cutting.absent() ? normalizer : cutting)
        .refuse(
            "llama.cpp cannot be told to do this; a tokenizer derived from sentencepiece that "
            "turns spaces into '{}' and no more can be exported",
            metaspace);
  }
  return prepends;
}

}  // namespace

GgufKind recognize_gguf_kind(const JsonPart& root) {
  const JsonPart model = root.child("model");
  if (const auto type = model.optional<std::string>("type", "BPE"); type != "BPE") {
    model.refuse("'{}' has no counterpart in a GGUF file of these families; BPE has", type);
  }
  if (model.optional<bool>("byte_fallback", false)) {
    return {.sentencepiece = true, .add_space_prefix = recognize_space_prefix(root)};
  }
  if (!root.child("normalizer").absent()) {
    root.child("normalizer").refuse("has no counterpart in a GGUF file for byte-level BPE");
  }
  return {.pre = std::string(recognize_words(root).name)};
}

}  // namespace lmpo
