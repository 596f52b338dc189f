#include "text/tokenizer_parts.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "text/bpe.h"
#include "text/unigram.h"
#include "text/word_models.h"

namespace lmpo {
namespace {

template <typename Model>
std::unique_ptr<const SubwordModel> make_model(const JsonPart& part) {
  return std::make_unique<const Model>(part);
}

std::unique_ptr<const SubwordModel> read_model(const JsonPart& part) {
  using Make = std::unique_ptr<const SubwordModel> (*)(const JsonPart&);
  static const std::map<std::string, Make> known = {{"BPE", make_model<Bpe>},
                                                    {"Unigram", make_model<Unigram>},
                                                    {"WordLevel", make_model<WordLevel>},
                                                    {"WordPiece", make_model<WordPiece>}};
  if (part.absent()) {
    part.refuse("missing; an object with the key 'vocab' was expected");
  }
  // Older files of byte-pair encodings do not say what they are.
  return part.child("type").absent() ? make_model<Bpe>(part) : choose_by_type(part, known)(part);
}

}  // namespace

TokenizerParts parts_around(std::unique_ptr<const SubwordModel> model, PreTokenizer pre_tokenizer,
                            const JsonPart& root, AddedTokens::Ids ids) {
  Normalizer normalizer = read_normalizer(root.child("normalizer"));
  AddedTokens added(root.child("added_tokens"), *model, normalizer, ids);
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

TokenizerParts read_tokenizer_json(const JsonPart& root) {
  return parts_around(read_model(root.child("model")),
                      read_pre_tokenizer(root.child("pre_tokenizer")), root,
                      AddedTokens::Ids::counted);
}

}  // namespace lmpo
