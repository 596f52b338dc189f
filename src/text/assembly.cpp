#include "text/assembly.h"

#include <utility>

#include "text/bpe.h"

namespace lmpo {

void Assembly::fill_names(std::string_view bos, std::string_view eos, std::string_view unk) {
  const auto fill = [](std::string& name, std::string_view value) {
    if (name.empty()) {
      name = value;
    }
  };
  fill(tokens_.names.bos, bos);
  fill(tokens_.names.eos, eos);
  fill(tokens_.names.unk, unk);
}

void Assembly::add_special(std::int64_t id, std::string_view content) {
  tokens_.added.emplace(id, special_token(id, content));
}

TokenizerParts Assembly::finish(std::unique_ptr<const SubwordModel> model,
                                PreTokenizer pre_tokenizer, json decoder) {
  json root = {{"post_processor", post_processor(*model)}, {"decoder", std::move(decoder)}};
  json& added = root["added_tokens"] = json::array();
  for (auto& [id, token] : tokens_.added) {
    added.push_back(std::move(token));
  }
  TokenizerParts parts = parts_around(std::move(model), std::move(pre_tokenizer),
                                      JsonPart(root, source_), AddedTokens::Ids::given);
  parts.names = std::move(tokens_.names);
  return parts;
}

TokenizerParts Assembly::finish_byte_level(const std::string& pattern, const RankedTokens& tokens,
                                           TokenId first_id) {
  json pre_tokenizer = json::parse(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {}, "behavior": "Isolated", "invert": false},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})");
  pre_tokenizer["pretokenizers"][0]["pattern"]["Regex"] = pattern;
  return finish(std::make_unique<const Bpe>(tokens, first_id),
                read_pre_tokenizer(JsonPart(pre_tokenizer, source_)),
                json::parse(R"({"type": "ByteLevel"})"));
}

// BOS unless the files say no, the text, EOS if they say so.
json Assembly::post_processor(const SubwordModel& model) const {
  json pieces = json::array();
  json ids = json::object();
  const auto add = [&](const std::string& name) {
    pieces.push_back({{"SpecialToken", {{"id", name}}}});
    ids[name]["ids"] = {static_cast<std::uint64_t>(id_of(name, model))};
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

std::int64_t Assembly::id_of(const std::string& name, const SubwordModel& model) const {
  for (const auto& [id, token] : tokens_.added) {
    if (token["content"] == name) {
      return id;
    }
  }
  if (const auto id = model.find(name)) {
    return *id;
  }
  user_error("{}: the token '{}' is to be added to texts, but is not in the vocabulary", source_,
             name);
}

}  // namespace lmpo
