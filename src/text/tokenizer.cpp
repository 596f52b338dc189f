#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

namespace lmpo {
namespace {

// Texts are addressed with 31 bits, and a step may make one a few times longer.
constexpr std::size_t longest_text = std::size_t{256} << 20;

}  // namespace

struct Tokenizer::Impl : TokenizerParts {
  explicit Impl(TokenizerParts&& parts) : TokenizerParts(std::move(parts)) {}

  // One encode call's working memory and result.
  struct Encoding {
    bool split_special_tokens = false;
    std::vector<TokenId> ids;
    SubwordModel::Scratch scratch;
  };

  // `text` lies between added tokens of the raw text.
  void encode_raw_part(std::string_view text, bool begins_input, Encoding& encoding) const {
    NormalizedText normalized{std::string(text), begins_input ? utf8_size(text[0]) : 0};
    normalizer(normalized);
    for (const auto& part : added.split(normalized.text, true, !encoding.split_special_tokens)) {
      if (part.token != nullptr) {
        encoding.ids.push_back(part.token->id);
        continue;
      }
      const Span span = part.span;
      const std::size_t head = std::max(normalized.head, span.begin) - span.begin;
      Words words{
          std::string(span.of(normalized.text)), {{0, span.size()}}, std::min(head, span.size())};
      pre_tokenizer(words);
      for (const Span word : words.spans) {
        model->encode(word.of(words.text), encoding.scratch, encoding.ids);
      }
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const fs::path& folder) {
  if (const fs::path path = folder / "tokenizer.json"; fs::exists(path)) {
    Tokenizer tokenizer = from_json(read_file(path), path.string());
    tokenizer.impl_->names = read_special_names(folder);
    return tokenizer;
  }
  if (const fs::path path = folder / "tokenizer.model"; fs::exists(path)) {
    return Tokenizer(std::make_unique<Impl>(
        read_tokenizer_model(read_file(path), path.string(), read_special_tokens(folder))));
  }
  if (const fs::path path = folder / "tekken.json"; fs::exists(path)) {
    const json root = read_json(path);
    return Tokenizer(std::make_unique<Impl>(
        read_tekken(JsonPart(root, path.string()), read_special_tokens(folder))));
  }
  user_error("{}: no tokenizer: tokenizer.json, tokenizer.model or tekken.json was expected here",
             folder.string());
}

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json, std::string_view source) {
  const json root = parse_json(tokenizer_json, source);
  return Tokenizer(std::make_unique<Impl>(read_tokenizer_json(JsonPart(root, source))));
}

Tokenizer Tokenizer::from_model(std::string_view tokenizer_model, std::string_view source) {
  return Tokenizer(std::make_unique<Impl>(read_tokenizer_model(tokenizer_model, source, {})));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, bool add_special_tokens,
                                       bool split_special_tokens) const {
  if (text.size() > longest_text) {
    user_error("a text of {} bytes is too long for the tokenizer, which takes {}", text.size(),
               longest_text);
  }
  if (!is_valid_utf8(text)) {
    return encode(replace_invalid_utf8(text), add_special_tokens, split_special_tokens);
  }
  Impl::Encoding encoding;
  encoding.split_special_tokens = split_special_tokens;
  for (const auto& part : impl_->added.split(text, false, !split_special_tokens)) {
    if (part.token != nullptr) {
      encoding.ids.push_back(part.token->id);
    } else {
      impl_->encode_raw_part(part.span.of(text), part.span.begin == 0, encoding);
    }
  }
  return impl_->post_processor.apply(std::move(encoding.ids), add_special_tokens);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const TokenId id : ids) {
    const AddedToken* added = impl_->added.find(id);
    std::string text(added != nullptr ? added->pattern : impl_->model->token(id));
    const bool known = added != nullptr || !text.empty();
    if (known && !(skip_special_tokens && impl_->added.is_special(text))) {
      tokens.push_back(std::move(text));
    }
  }
  impl_->decoder(tokens);
  std::string text;
  for (const std::string& token : tokens) {
    text += token;
  }
  return text;
}

std::int64_t Tokenizer::id_limit() const {
  return impl_->id_limit;
}

std::optional<TokenId> Tokenizer::find(std::string_view token) const {
  const AddedToken* added = impl_->added.find(token);
  return added != nullptr ? added->id : impl_->model->find(token);
}

std::string_view Tokenizer::token(TokenId id) const {
  const AddedToken* added = impl_->added.find(id);
  return added != nullptr ? added->content : impl_->model->token(id);
}

const std::string& Tokenizer::bos_token() const {
  return impl_->names.bos;
}
const std::string& Tokenizer::eos_token() const {
  return impl_->names.eos;
}
const std::string& Tokenizer::unk_token() const {
  return impl_->names.unk;
}
const std::string& Tokenizer::pad_token() const {
  return impl_->names.pad;
}
std::optional<TokenId> Tokenizer::bos_id() const {
  return find(bos_token());
}
std::optional<TokenId> Tokenizer::eos_id() const {
  return find(eos_token());
}

}  // namespace lmpo
