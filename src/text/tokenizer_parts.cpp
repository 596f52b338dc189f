#include "text/tokenizer_parts.h"

#include <algorithm>
#include <utility>

#include "text/bpe.h"

namespace lmpo {

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
  return parts_around(std::make_unique<const Bpe>(root.child("model")),
                      read_pre_tokenizer(root.child("pre_tokenizer")), root,
                      AddedTokens::Ids::counted);
}

}  // namespace lmpo
