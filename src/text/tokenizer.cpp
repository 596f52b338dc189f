#include "text/tokenizer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/decoder.h"
#include "text/json_part.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"

namespace lmpo {
namespace {

// Texts are addressed with 31 bits, and a step may make one a few times longer.
constexpr std::size_t longest_text = std::size_t{256} << 20;

// The names of the special tokens, as tokenizer_config.json spells its keys.
enum SpecialName { bos, eos, unk, pad };
constexpr std::array<const char*, 4> special_keys = {"bos_token", "eos_token", "unk_token",
                                                     "pad_token"};

// A string, or an object with the string under "content"; "" where there is none.
std::string special_name(const JsonPart& config, const char* key) {
  const JsonPart token = config.child(key);
  return token.value().is_object() ? token.required<std::string>("content")
                                   : config.optional<std::string>(key, "");
}

}  // namespace

struct Tokenizer::Impl {
  explicit Impl(const JsonPart& root)
      : normalizer(read_normalizer(root.child("normalizer"))),
        pre_tokenizer(read_pre_tokenizer(root.child("pre_tokenizer"))),
        model(root.child("model")),
        added(root.child("added_tokens"), model, normalizer),
        id_limit(std::max(model.id_limit(), added.id_limit())),
        post_processor(root.child("post_processor"), id_limit),
        decoder(read_decoder(root.child("decoder"))) {}

  // One encode call's working memory and result.
  struct Encoding {
    std::vector<TokenId> ids;
    Bpe::Scratch scratch;
  };

  // `text` lies between added tokens of the raw text.
  void encode_raw_part(std::string_view text, bool begins_input, Encoding& encoding) const {
    NormalizedText normalized{std::string(text), begins_input ? utf8_size(text[0]) : 0};
    normalizer(normalized);
    for (const auto& part : added.split(normalized.text, true)) {
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
        model.encode(word.of(words.text), encoding.scratch, encoding.ids);
      }
    }
  }

  void read_special_names(const fs::path& folder) {
    for (const char* file : {"tokenizer_config.json", "special_tokens_map.json"}) {
      if (!fs::exists(folder / file)) {
        continue;
      }
      const json config = read_json(folder / file);
      const JsonPart root(config, (folder / file).string());
      for (std::size_t i = 0; i < special_names.size(); ++i) {
        if (special_names[i].empty()) {
          special_names[i] = special_name(root, special_keys[i]);
        }
      }
    }
  }

  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Bpe model;
  AddedTokens added;
  std::int64_t id_limit;
  PostProcessor post_processor;
  Decoder decoder;
  std::array<std::string, special_keys.size()> special_names;
};

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  Tokenizer tokenizer = from_json(read_file(path), path.string());
  tokenizer.impl_->read_special_names(folder);
  return tokenizer;
}

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json, std::string_view source) {
  const json root = parse_json(tokenizer_json, source);
  return Tokenizer(std::make_unique<Impl>(JsonPart(root, source)));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  if (text.size() > longest_text) {
    user_error("a text of {} bytes is too long for the tokenizer, which takes {}", text.size(),
               longest_text);
  }
  if (!is_valid_utf8(text)) {
    return encode(replace_invalid_utf8(text), add_special_tokens);
  }
  Impl::Encoding encoding;
  for (const auto& part : impl_->added.split(text, false)) {
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
    std::string text(added != nullptr ? added->pattern : impl_->model.token(id));
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
  return added != nullptr ? added->id : impl_->model.find(token);
}

std::string_view Tokenizer::token(TokenId id) const {
  const AddedToken* added = impl_->added.find(id);
  return added != nullptr ? added->content : impl_->model.token(id);
}

const std::string& Tokenizer::bos_token() const {
  return impl_->special_names[bos];
}
const std::string& Tokenizer::eos_token() const {
  return impl_->special_names[eos];
}
const std::string& Tokenizer::unk_token() const {
  return impl_->special_names[unk];
}
const std::string& Tokenizer::pad_token() const {
  return impl_->special_names[pad];
}
std::optional<TokenId> Tokenizer::bos_id() const {
  return find(bos_token());
}
std::optional<TokenId> Tokenizer::eos_id() const {
  return find(eos_token());
}

}  // namespace lmpo
