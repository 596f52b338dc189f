// What is put around a text's ids: the "post_processor" of tokenizer.json.
#pragma once

#include <cstdint>
#include <vector>

#include "text/json_part.h"
#include "text/tokenizer.h"

namespace lmpo {

class PostProcessor {
 public:
  // Leaves ids as they are for an absent part. Supported: ByteLevel (which moves offsets only),
  // Sequence, and at most one of BertProcessing, RobertaProcessing and TemplateProcessing (of it
  // the key "single"). Ids that are not below `id_limit` are refused.
  PostProcessor(const JsonPart& part, std::int64_t id_limit);

  // Without special tokens, only what the template does with the text itself.
  std::vector<TokenId> apply(std::vector<TokenId> ids, bool add_special_tokens) const;

 private:
  // One piece of the template: the text, or special tokens.
  struct Piece {
    bool is_text;
    std::vector<TokenId> ids;
  };

  void read(const JsonPart& part, std::int64_t id_limit);
  void check_first(const JsonPart& part) const;
  void read_template(const JsonPart& part, std::int64_t id_limit);

  std::vector<Piece> pieces_;
};

}  // namespace lmpo
