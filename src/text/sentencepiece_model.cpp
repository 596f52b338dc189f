#include "text/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "text/protobuf_fields.h"

namespace lmpo {
namespace {

// What a ModelProto says besides its pieces; the defaults are the format's own.
struct Settings {
  std::uint64_t model_type = 1;
  bool space_at_end = false;
  bool adds_space = true;
  bool removes_spaces = true;
  bool has_rules = false;
};

constexpr std::uint64_t type_bpe = 2;

void read_trainer(std::string_view message, std::string_view source, Settings& settings) {
  while (const auto field = take_field(message, source)) {
    if (field->number == 3) {
      settings.model_type = field->value;
    } else if (field->number == 24) {
      settings.space_at_end = field->value != 0;
    }
  }
}

void read_normalizer(std::string_view message, std::string_view source, Settings& settings) {
  while (const auto field = take_field(message, source)) {
    if (field->number == 2) {
      settings.has_rules = settings.has_rules || !field->bytes.empty();
    } else if (field->number == 3) {
      settings.adds_space = field->value != 0;
    } else if (field->number == 4) {
      settings.removes_spaces = field->value != 0;
    }
  }
}

Settings read_settings(std::string_view message, std::string_view source) {
  Settings settings;
  while (const auto field = take_field(message, source)) {
    if (field->number == 2) {
      read_trainer(field->bytes, source, settings);
    } else if (field->number == 3) {
      read_normalizer(field->bytes, source, settings);
    } else if (field->number == 5) {
      Settings denormalizer;
      read_normalizer(field->bytes, source, denormalizer);
      settings.has_rules = settings.has_rules || denormalizer.has_rules;
    }
  }
  return settings;
}

void check_supported(const Settings& settings, std::string_view source) {
  const auto refuse = [&](std::string_view what) {
    user_error(
        "{}: {} is not supported; put a tokenizer.json beside it, which is used in its place",
        source, what);
  };
  if (settings.model_type != type_bpe) {
    refuse(fmt::format("the model type {} (only {}, byte-pair encoding, is)", settings.model_type,
                       type_bpe));
  }
  if (settings.has_rules) {
    refuse("a table of normalization rules (precompiled_charsmap)");
  }
  if (settings.removes_spaces) {
    refuse("the removal of repeated spaces (remove_extra_whitespaces)");
  }
  if (settings.space_at_end) {
    refuse("a mark for spaces at the end of words (treat_whitespace_as_suffix)");
  }
}

}  // namespace

SentencePieceModel::SentencePieceModel(std::string_view content, std::string_view source)
    : where_(source), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  const Settings settings = read_settings(content, source);
  check_supported(settings, source);
  adds_space_ = settings.adds_space;
  // Fields of a message that follow it overwrite its own: normalizer_spec.add_dummy_prefix = false.
  // Whether a space comes first depends on where the text stands, which the library cannot know.
  const std::string without_space = std::string(content) + std::string("\x1A\x02\x18\x00", 4);
  if (const auto status = processor_->LoadFromSerializedProto(without_space); !status.ok()) {
    user_error("{}: sentencepiece cannot read it: {}; the file is damaged", source,
               status.message());
  }
  if (size() == 0) {
    user_error("{}: it holds no tokens; the file is damaged", source);
  }
  for (TokenId id = 0; id < id_limit(); ++id) {
    if (!is_valid_utf8(token(id))) {
      user_error("{}: the token {} is not valid UTF-8; the file is damaged", source, id);
    }
  }
}

SentencePieceModel::~SentencePieceModel() = default;

void SentencePieceModel::encode(std::string_view word, Scratch&, std::vector<TokenId>& ids) const {
  std::vector<int> found;
  if (const auto status = processor_->Encode(word, &found); !status.ok()) {
    user_error("{}: sentencepiece cannot encode a text by it: {}; the file is damaged", where_,
               status.message());
  }
  ids.insert(ids.end(), found.begin(), found.end());
}

std::optional<TokenId> SentencePieceModel::find(std::string_view token) const {
  // The library gives unknown texts the id of the unknown token.
  const TokenId id = processor_->PieceToId(token);
  return !token.empty() && this->token(id) == token ? std::optional(id) : std::nullopt;
}

std::string_view SentencePieceModel::token(TokenId id) const {
  return id >= 0 && id < id_limit() ? std::string_view(processor_->IdToPiece(id)) : "";
}

std::int64_t SentencePieceModel::size() const {
  return processor_->GetPieceSize();
}

bool SentencePieceModel::is_special(TokenId id) const {
  return processor_->IsControl(id) || processor_->IsUnknown(id);
}

std::string_view SentencePieceModel::bos_token() const {
  return token(processor_->bos_id());
}
std::string_view SentencePieceModel::eos_token() const {
  return token(processor_->eos_id());
}
std::string_view SentencePieceModel::unk_token() const {
  return token(processor_->unk_id());
}

}  // namespace lmpo
