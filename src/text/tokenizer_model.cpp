// tokenizer.model, of sentencepiece and of Llama 3; NAME.tiktoken, of OpenAI.
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "text/assembly.h"
#include "text/ranked_tokens.h"
#include "text/sentencepiece_model.h"
#include "text/tokenizer_parts.h"

namespace lmpo {
namespace {

// The pattern of cl100k_base and of Llama 3 (tiktoken, openai_public.py; llama_models,
// llama3/tokenizer.py).
constexpr const char* cl100k_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* o200k_pattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::int64_t llama3_ranks = 128'000;
constexpr std::int64_t llama3_special_tokens = 256;

// The special tokens of Llama 3.1 in their order, of Meta's release.
std::string llama3_special_token(std::int64_t index) {
  constexpr std::array<std::string_view, 12> names = {"<|begin_of_text|>",
                                                      "<|end_of_text|>",
                                                      "<|reserved_special_token_0|>",
                                                      "<|reserved_special_token_1|>",
                                                      "<|finetune_right_pad_id|>",
                                                      "<|step_id|>",
                                                      "<|start_header_id|>",
                                                      "<|end_header_id|>",
                                                      "<|eom_id|>",
                                                      "<|eot_id|>",
                                                      "<|python_tag|>",
                                                      "<|image|>"};
  constexpr auto named = static_cast<std::int64_t>(names.size());
  return index < named ? std::string(names[static_cast<std::size_t>(index)])
                       : fmt::format("<|reserved_special_token_{}|>", index - named + 2);
}

// OpenAI's vocabularies, which count the tokens of benchmarks' answers.
struct OpenaiVocabulary {
  std::size_t ranks;
  const char* pattern;
  std::int64_t end_of_text;  // <|endoftext|>, the only special token that is needed
};
constexpr OpenaiVocabulary openai_vocabularies[] = {
    {100'256, cl100k_pattern, 100'257},  // cl100k_base
    {199'998, o200k_pattern, 199'999},   // o200k_base
};

TokenizerParts read_openai(const OpenaiVocabulary& vocabulary, const RankedTokens& ranked,
                           std::string_view source, SpecialTokens tokens) {
  constexpr std::string_view end_of_text = "<|endoftext|>";
  tokens.add_bos = tokens.add_bos.value_or(false);
  Assembly assembly(source, std::move(tokens));
  assembly.fill_names("", end_of_text, "");
  assembly.add_special(vocabulary.end_of_text, end_of_text);
  return assembly.finish_byte_level(vocabulary.pattern, ranked, 0);
}

TokenizerParts read_ranks(std::string_view content, std::string_view source, SpecialTokens tokens) {
  const RankedTokens ranked = read_ranked_lines(content, source);
  const auto* openai =
      std::ranges::find(openai_vocabularies, ranked.bytes.size(), &OpenaiVocabulary::ranks);
  if (openai != std::end(openai_vocabularies)) {
    return read_openai(*openai, ranked, source, std::move(tokens));
  }
  if (ranked.bytes.size() != llama3_ranks) {
    user_error(
        "{}: {} tokens were expected, as in Llama 3, not {}; the file is incomplete, or of another "
        "family, which needs a tokenizer.json",
        source, llama3_ranks, ranked.bytes.size());
  }
  Assembly assembly(source, std::move(tokens));
  assembly.fill_names(llama3_special_token(0), llama3_special_token(1), "");
  for (std::int64_t index = 0; index < llama3_special_tokens; ++index) {
    assembly.add_special(llama3_ranks + index, llama3_special_token(index));
  }
  return assembly.finish_byte_level(cl100k_pattern, ranked, 0);
}

// Puts a space at the front of texts.
PreTokenizer read_space_adder(PrependScheme scheme) {
  return [scheme](Words& words) {
    if (scheme == PrependScheme::always || (scheme == PrependScheme::first && words.head > 0)) {
      words.text.insert(0, 1, ' ');
      words.spans = {{0, words.text.size()}};
    }
  };
}

// As transformers' LlamaTokenizer puts tokens together.
json sentencepiece_decoder(bool strips_space) {
  json decoder = json::parse(R"({"type": "Sequence", "decoders": [
      {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}]})");
  if (strips_space) {
    decoder["decoders"].push_back(
        json::parse(R"({"type": "Strip", "content": " ", "start": 1, "stop": 0})"));
  }
  return decoder;
}

TokenizerParts read_sentencepiece(std::string_view content, std::string_view source,
                                  SpecialTokens tokens) {
  auto model = std::make_unique<const SentencePieceModel>(content, source);
  const bool adds_space = tokens.add_prefix_space.value_or(model->adds_space());
  const PrependScheme scheme = !adds_space     ? PrependScheme::never
                               : tokens.legacy ? PrependScheme::always
                                               : PrependScheme::first;
  Assembly assembly(source, std::move(tokens));
  assembly.fill_names(model->bos_token(), model->eos_token(), model->unk_token());
  for (TokenId id = 0; id < model->id_limit(); ++id) {
    if (model->is_special(id)) {
      assembly.add_special(id, model->token(id));
    }
  }
  return assembly.finish(std::move(model), read_space_adder(scheme),
                         sentencepiece_decoder(adds_space));
}

}  // namespace

TokenizerParts read_tokenizer_model(std::string_view content, std::string_view source,
                                    SpecialTokens tokens) {
  if (content.starts_with("version https://git-lfs")) {
    user_error("{}: this is a Git LFS pointer in place of the file; fetch it by `git lfs pull`",
               source);
  }
  return has_ranked_lines(content) ? read_ranks(content, source, std::move(tokens))
                                   : read_sentencepiece(content, source, std::move(tokens));
}

}  // namespace lmpo
