#include "text/tokenizer_parts.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text/bpe.h"
#include "text/ranked_tokens.h"
#include "text/sentencepiece_model.h"

namespace lmpo {
namespace {

// Llama 3's pattern (llama_models, llama3/tokenizer.py).
constexpr const char* llama3_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::int64_t llama3_ranks = 128'000;
constexpr std::int64_t llama3_special_tokens = 256;

// Those of the names that other files leave open.
void fill(SpecialNames& names, std::string_view bos, std::string_view eos, std::string_view unk) {
  const auto fill_one = [](std::string& name, std::string_view value) {
    if (name.empty()) {
      name = value;
    }
  };
  fill_one(names.bos, bos);
  fill_one(names.eos, eos);
  fill_one(names.unk, unk);
}

// The parts around a model, as a tokenizer.json would spell them, and from them all parts.
class Assembly {
 public:
  Assembly(std::string_view source, SpecialTokens tokens)
      : source_(source), tokens_(std::move(tokens)) {}

  // Other files may have another token at that id.
  void add_special(std::int64_t id, std::string_view content) {
    tokens_.added.emplace(id, special_token(id, content));
  }

  TokenizerParts finish(PreTokenizer pre_tokenizer, std::unique_ptr<const SubwordModel> model,
                        const json& decoder) {
    json elements = json::array();
    for (auto& [id, token] : tokens_.added) {
      elements.push_back(std::move(token));
    }
    const json root = {{"added_tokens", std::move(elements)}, {"decoder", decoder}};
    const JsonPart part(root, source_);
    AddedTokens added(part.child("added_tokens"), *model, read_normalizer(part.child("none")),
                      AddedTokens::Ids::given);
    const json post_processor = text_template(added, *model);
    const std::int64_t id_limit = std::max(model->id_limit(), added.id_limit());
    return {.normalizer = read_normalizer(part.child("normalizer")),
            .pre_tokenizer = std::move(pre_tokenizer),
            .model = std::move(model),
            .added = std::move(added),
            .id_limit = id_limit,
            .post_processor = PostProcessor(JsonPart(post_processor, source_), id_limit),
            .decoder = read_decoder(part.child("decoder")),
            .names = std::move(tokens_.names)};
  }

 private:
  // BOS unless the files say no, the text, EOS if they say so.
  json text_template(const AddedTokens& added, const SubwordModel& model) const {
    json pieces = json::array();
    json ids = json::object();
    const auto add = [&](const std::string& name) {
      const AddedToken* token = added.find(name);
      const auto id = token != nullptr ? std::optional(token->id) : model.find(name);
      if (!id) {
        user_error("{}: the token '{}' is to be added to texts, but is not in the vocabulary",
                   source_, name);
      }
      pieces.push_back({{"SpecialToken", {{"id", name}}}});
      ids[name]["ids"] = {static_cast<std::uint32_t>(*id)};
    };
    if (tokens_.add_bos.value_or(true)) {
      add(tokens_.names.bos);
    }
    pieces.push_back({{"Sequence", {{"id", "A"}}}});
    if (tokens_.add_eos.value_or(false)) {
      add(tokens_.names.eos);
    }
    return {{"type", "TemplateProcessing"}, {"single", pieces}, {"special_tokens", ids}};
  }

  std::string source_;
  SpecialTokens tokens_;
};

// Words by the pattern, then bytes by their stand-ins.
TokenizerParts byte_level_parts(Assembly& assembly, const std::string& pattern,
                                const RankedTokens& tokens, TokenId first_id,
                                const std::string& source) {
  json pre_tokenizer = json::parse(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})");
  pre_tokenizer["pretokenizers"][0]["pattern"]["Regex"] = pattern;
  return assembly.finish(read_pre_tokenizer(JsonPart(pre_tokenizer, source)),
                         std::make_unique<const Bpe>(tokens, first_id),
                         json::parse(R"({"type": "ByteLevel"})"));
}

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

TokenizerParts read_llama3(std::string_view content, std::string_view source,
                           SpecialTokens tokens) {
  const RankedTokens ranked = read_ranked_lines(content, source);
  if (ranked.bytes.size() != llama3_ranks) {
    user_error(
        "{}: {} tokens were expected, as in Llama 3, not {}; the file is incomplete, or of another "
        "family, which needs a tokenizer.json",
        source, llama3_ranks, ranked.bytes.size());
  }
  fill(tokens.names, llama3_special_token(0), llama3_special_token(1), "");
  Assembly assembly(source, std::move(tokens));
  for (std::int64_t index = 0; index < llama3_special_tokens; ++index) {
    assembly.add_special(llama3_ranks + index, llama3_special_token(index));
  }
  return byte_level_parts(assembly, llama3_pattern, ranked, 0, std::string(source));
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
  fill(tokens.names, model->bos_token(), model->eos_token(), model->unk_token());
  Assembly assembly(source, std::move(tokens));
  for (TokenId id = 0; id < model->id_limit(); ++id) {
    if (model->is_special(id)) {
      assembly.add_special(id, model->token(id));
    }
  }
  return assembly.finish(read_space_adder(scheme), std::move(model),
                         sentencepiece_decoder(adds_space));
}

}  // namespace

TokenizerParts read_tokenizer_json(const JsonPart& root) {
  Normalizer normalizer = read_normalizer(root.child("normalizer"));
  PreTokenizer pre_tokenizer = read_pre_tokenizer(root.child("pre_tokenizer"));
  auto model = std::make_unique<const Bpe>(root.child("model"));
  AddedTokens added(root.child("added_tokens"), *model, normalizer, AddedTokens::Ids::counted);
  const std::int64_t id_limit = std::max(model->id_limit(), added.id_limit());
  return {.normalizer = std::move(normalizer),
          .pre_tokenizer = std::move(pre_tokenizer),
          .model = std::move(model),
          .added = std::move(added),
          .id_limit = id_limit,
          .post_processor = PostProcessor(root.child("post_processor"), id_limit),
          .decoder = read_decoder(root.child("decoder")),
          .names = {}};
}

TokenizerParts read_tokenizer_model(std::string_view content, std::string_view source,
                                    SpecialTokens tokens) {
  if (content.starts_with("version https://git-lfs")) {
    user_error("{}: this is a Git LFS pointer in place of the file; fetch it by `git lfs pull`",
               source);
  }
  return has_ranked_lines(content) ? read_llama3(content, source, std::move(tokens))
                                   : read_sentencepiece(content, source, std::move(tokens));
}

TokenizerParts read_tekken(const JsonPart& root, SpecialTokens tokens) {
  // Those of files that name none.
  constexpr std::array<const char*, 20> names = {"<unk>",
                                                 "<s>",
                                                 "</s>",
                                                 "[INST]",
                                                 "[/INST]",
                                                 "[AVAILABLE_TOOLS]",
                                                 "[/AVAILABLE_TOOLS]",
                                                 "[TOOL_RESULTS]",
                                                 "[/TOOL_RESULTS]",
                                                 "[TOOL_CALLS]",
                                                 "[IMG]",
                                                 "<pad>",
                                                 "[IMG_BREAK]",
                                                 "[IMG_END]",
                                                 "[PREFIX]",
                                                 "[MIDDLE]",
                                                 "[SUFFIX]",
                                                 "[SYSTEM_PROMPT]",
                                                 "[/SYSTEM_PROMPT]",
                                                 "[TOOL_CONTENT]"};
  const JsonPart config = root.child("config");
  const auto special = config.required<std::int64_t>("default_num_special_tokens");
  const auto all = config.required<std::int64_t>("default_vocab_size");
  constexpr std::int64_t greatest = 1 << 20;
  if (special < 0 || all <= special || all > greatest) {
    config.refuse("'default_vocab_size' {} and 'default_num_special_tokens' {} make no vocabulary",
                  all, special);
  }
  fill(tokens.names, "<s>", "</s>", "<unk>");
  Assembly assembly(root.where(), std::move(tokens));
  std::int64_t count = 0;
  if (const JsonPart list = root.child("special_tokens"); list.absent()) {
    for (; count < std::min<std::int64_t>(names.size(), special); ++count) {
      assembly.add_special(count, names[static_cast<std::size_t>(count)]);
    }
  } else {
    for (const JsonPart& element : list.elements()) {
      assembly.add_special(count++, element.required<std::string>("token_str"));
    }
    if (count > special) {
      list.refuse("{} tokens are too many, 'default_num_special_tokens' is {}", count, special);
    }
  }
  for (; count < special; ++count) {
    assembly.add_special(count, fmt::format("<SPECIAL_{}>", count));
  }
  const RankedTokens ranked =
      read_ranked_list(root.child("vocab"), static_cast<std::size_t>(all - special));
  return byte_level_parts(assembly, config.required<std::string>("pattern"), ranked,
                          static_cast<TokenId>(special), root.where());
}

}  // namespace lmpo
