#include "convert/gguf_kind.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/log.h"

namespace lmpo {
namespace {

constexpr const char* metaspace = "\u2581";

// Ways to cut words by one regular expression, and whether llama.cpp takes a word that is a token
// as it is (tokenizer.json's ignore_merges) with it.
struct KnownSplit {
  std::string_view name;
  std::string_view regex;
  bool ignores_merges;
};
constexpr std::array<KnownSplit, 3> known_splits{{
    {"llama-bpe",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     true},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     false},
    {"tekken",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     true},
}};

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

const KnownSplit* find_split(const JsonPart& part) {
  if (!is_type(part, "Split") || part.optional<std::string>("behavior", "") != "Isolated" ||
      part.optional<bool>("invert", false)) {
    return nullptr;
  }
  const auto regex = part.child("pattern").optional<std::string>("Regex", "");
  const auto* found = std::ranges::find(known_splits, regex, &KnownSplit::regex);
  return found == known_splits.end() ? nullptr : found;
}

void warn_of_whole_words(const JsonPart& model, std::string_view name, bool ignores_merges) {
  if (model.optional<bool>("ignore_merges", false) != ignores_merges) {
    log_warning(
        "{}: ignore_merges is {}, but llama.cpp's tokenizer '{}' takes it as {}: it will cut words "
        "that no merges make in another way",
        model.where(), !ignores_merges, name, ignores_merges);
  }
}

std::string recognize_pre(const JsonPart& root) {
  const JsonPart cutting = root.child("pre_tokenizer");
  const std::vector<JsonPart> parts = steps(cutting, "pretokenizers");
  const JsonPart model = root.child("model");
  if (parts.size() == 1 && is_byte_level(parts[0], true)) {
    warn_of_whole_words(model, "gpt-2", false);
    return "gpt-2";
  }
  if (parts.size() == 2 && is_type(parts[0], "Digits") &&
      parts[0].optional<bool>("individual_digits", false) && is_byte_level(parts[1], true)) {
    warn_of_whole_words(model, "smollm", false);
    return "smollm";
  }
  if (parts.size() == 2 && is_byte_level(parts[1], false)) {
    if (const KnownSplit* split = find_split(parts[0])) {
      warn_of_whole_words(model, split->name, split->ignores_merges);
      return std::string(split->name);
    }
  }
  cutting.refuse(
      "llama.cpp cannot be told to cut words so; a GGUF file can name the ways of GPT-2, SmolLM, "
      "Llama 3, Qwen 2 and Mistral's tekken");
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
  if (model.optional<bool>("byte_fallback", false)) {
    return {.sentencepiece = true, .add_space_prefix = recognize_space_prefix(root)};
  }
  if (!root.child("normalizer").absent()) {
    root.child("normalizer").refuse("has no counterpart in a GGUF file for byte-level BPE");
  }
  return {.pre = recognize_pre(root)};
}

}  // namespace lmpo
