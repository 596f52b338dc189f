#include "text/tokenizer.h"

#include <algorithm>

#include "base/cache_folder.h"
#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer_parts.h"

namespace lmpo {
namespace {

// Texts are addressed with 31 bits, and a step may make one a few times longer.
constexpr std::size_t longest_text = std::size_t{256} << 20;

constexpr std::string_view guard = "\U0010FFFE";

std::string without_guards(std::string text) {
  for (std::size_t at = text.find(guard); at != std::string::npos; at = text.find(guard, at)) {
    text.erase(at, guard.size());
  }
  return text;
}

}  // namespace

struct Tokenizer::Impl : TokenizerParts {
  explicit Impl(TokenizerParts&& parts) : TokenizerParts(std::move(parts)) {}

  // One encode call's working memory and result.
  struct Encoding {
    SpecialText special = SpecialText::tokens;
    std::vector<TokenId> ids;
    SubwordModel::Scratch scratch;
  };

  // `text` lies between added tokens of the raw text.
  void encode_raw_part(std::string_view text, bool begins_input, Encoding& encoding) const {
    NormalizedText normalized(std::string(text), begins_input ? utf8_size(text[0]) : 0);
    normalizer(normalized);
    const bool recognise = encoding.special != SpecialText::text;
    for (const auto& part : added.split(normalized.text, true, recognise)) {
      if (part.token != nullptr) {
        encoding.ids.push_back(part.token->id);
        continue;
      }
      const Span span = part.span;
      const std::size_t head = std::max(normalized.head, span.begin) - span.begin;
      std::string text_of_span(span.of(normalized.text));
      if (encoding.special == SpecialText::guarded) {
        text_of_span = without_guards(std::move(text_of_span));
      }
      const std::size_t size = text_of_span.size();
      Words words{std::move(text_of_span), {{0, size}}, std::min(head, size)};
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
  require_model_exists(folder);
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
                                       SpecialText special) const {
  if (text.size() > longest_text) {
    user_error("a text of {} bytes is too long for the tokenizer, which takes {}", text.size(),
               longest_text);
  }
  if (!is_valid_utf8(text)) {
    return encode(replace_invalid_utf8(text), add_special_tokens, special);
  }
  Impl::Encoding encoding;
  encoding.special = special;
  for (const auto& part : impl_->added.split(text, false, special != SpecialText::text)) {
    if (part.token != nullptr) {
      encoding.ids.push_back(part.token->id);
    } else {
      impl_->encode_raw_part(part.span.of(text), part.span.begin == 0, encoding);
    }
  }
  return impl_->post_processor.apply(std::move(encoding.ids), add_special_tokens);
}

std::string Tokenizer::guard_special_tokens(std::string_view text) const {
  std::string guarded;
  std::size_t taken = 0;
  for (std::size_t at = impl_->added.find_special(text, 0); at != std::string_view::npos;
       at = impl_->added.find_special(text, taken)) {
    const std::size_t letter_end = at + utf8_size(text[at]);
    guarded.append(text.substr(taken, letter_end - taken)).append(guard);
    taken = letter_end;
  }
  return guarded.append(text.substr(taken));
}

bool Tokenizer::has_special_tokens(std::string_view text) const {
  return impl_->added.find_special(text, 0) != std::string_view::npos;
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
