#include "convert/gguf_words.h"

#include <algorithm>
#include <array>

namespace lmpo {
namespace {

using Patterns = std::span<const std::string_view>;

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::array<std::string_view, 1> kLlama3 = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 1> kQwen2 = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 1> kTekken = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 1> kGpt4o = {
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 4> kDefault = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)",
                                                      R"([0-9][0-9][0-9])"};

constexpr auto kWords = std::to_array<GgufWords>({
    {"gpt-2", WordForm::byte_level, {}, false, false},
    {"mpt", WordForm::byte_level, {}, false, false},
    {"olmo", WordForm::byte_level, {}, false, false},
    {"phi-2", WordForm::byte_level, {}, false, false},
    {"exaone4", WordForm::byte_level, {}, false, false},
    {"granite-docling", WordForm::byte_level, {}, false, false},
    {"smollm", WordForm::digits, {}, false, false},
    {"refact", WordForm::digits, {}, false, false},
    {"starcoder", WordForm::digits, {}, false, false},
    {"command-r", WordForm::digits, {}, false, false},
    {"codeshell", WordForm::digits, {}, false, false},
    {"exaone", WordForm::digits, {}, false, false},
    {"minerva-7b", WordForm::digits, {}, false, false},
    {"llama-bpe", WordForm::patterns, kLlama3, true, true},
    {"llama3", WordForm::patterns, kLlama3, true, true},
    {"llama-v3", WordForm::patterns, kLlama3, true, true},
    {"falcon3", WordForm::patterns, kLlama3, true, true},
    {"pixtral", WordForm::patterns, kLlama3, true, true},
    {"dbrx", WordForm::patterns, kLlama3, false, false},
    {"smaug-bpe", WordForm::patterns, kLlama3, false, false},
    {"qwen2", WordForm::patterns, kQwen2, false, false},
    {"deepseek-r1-qwen", WordForm::patterns, kQwen2, false, false},
    {"stablelm2", WordForm::patterns, kQwen2, false, false},
    {"megrez", WordForm::patterns, kQwen2, false, false},
    {"hunyuan", WordForm::patterns, kQwen2, false, false},
    {"tekken", WordForm::patterns, kTekken, true, true},
    {"gpt-4o", WordForm::patterns, kGpt4o, false, false},
    {"llama4", WordForm::patterns, kGpt4o, false, false},
    {"default", WordForm::patterns, kDefault, false, false},
});

json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

}  // namespace

std::span<const GgufWords> gguf_words() {
  return kWords;
}

const GgufWords* find_gguf_words(std::string_view name) {
  const auto* found = std::ranges::find(kWords, name, &GgufWords::name);
  return found == kWords.end() ? nullptr : found;
}

json pre_tokenizer_of(const GgufWords& words) {
  if (words.form == WordForm::byte_level) {
    return byte_level(true);
  }
  json steps = json::array();
  if (words.form == WordForm::digits) {
    steps.push_back({{"type", "Digits"}, {"individual_digits", true}});
    steps.push_back(byte_level(true));
  } else {
    for (const std::string_view pattern : words.patterns) {
      steps.push_back({{"type", "Split"},
                       {"pattern", {{"Regex", pattern}}},
                       {"behavior", "Isolated"},
                       {"invert", false}});
    }
    steps.push_back(byte_level(false));
  }
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

}  // namespace lmpo
