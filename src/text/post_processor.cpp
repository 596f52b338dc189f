#include "text/post_processor.h"

namespace lmpo {
namespace {

enum class Kind { byte_level, sequence, single_template };

// The ids that the template's "special_tokens" give to a name.
std::vector<TokenId> special_ids(const JsonPart& part, const std::string& name,
                                 std::int64_t id_limit) {
  const JsonPart token = part.child("special_tokens").child(name);
  if (token.absent()) {
    token.refuse("missing, but the template names it");
  }
  std::vector<TokenId> ids;
  for (const JsonPart& element : token.child("ids").elements()) {
    const json& value = element.value();
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() >= static_cast<std::uint64_t>(id_limit)) {
      element.refuse("an id below {} was expected, not {}", id_limit, value.dump().substr(0, 60));
    }
    ids.push_back(value.get<TokenId>());
  }
  return ids;
}

}  // namespace

PostProcessor::PostProcessor(const JsonPart& part, std::int64_t id_limit) {
  if (!part.absent()) {
    read(part, id_limit);
  }
  if (pieces_.empty()) {
    pieces_.push_back({true, {}});
  }
}

void PostProcessor::read(const JsonPart& part, std::int64_t id_limit) {
  static const std::map<std::string, Kind> known = {{"ByteLevel", Kind::byte_level},
                                                    {"Sequence", Kind::sequence},
                                                    {"TemplateProcessing", Kind::single_template}};
  switch (choose_by_type(part, known)) {
    case Kind::byte_level:
      break;
    case Kind::sequence:
      for (const JsonPart& step : part.child("processors").elements()) {
        read(step, id_limit);
      }
      break;
    case Kind::single_template:
      read_template(part, id_limit);
      break;
  }
}

void PostProcessor::read_template(const JsonPart& part, std::int64_t id_limit) {
  if (!pieces_.empty()) {
    part.refuse("more than one template is not supported");
  }
  for (const JsonPart& piece : part.child("single").elements()) {
    if (const JsonPart text = piece.child("Sequence"); !text.absent()) {
      if (const auto name = text.required<std::string>("id"); name != "A") {
        text.refuse("key 'id': 'A' was expected, not '{}'", name);
      }
      pieces_.push_back({true, {}});
    } else if (const JsonPart special = piece.child("SpecialToken"); !special.absent()) {
      const auto name = special.required<std::string>("id");
      pieces_.push_back({false, special_ids(part, name, id_limit)});
    } else {
      piece.refuse("an object {{\"Sequence\": ...}} or {{\"SpecialToken\": ...}} was expected");
    }
  }
  std::size_t texts = 0;
  std::size_t added = 0;
  for (const Piece& piece : pieces_) {
    (piece.is_text ? texts : added) += piece.is_text ? 1 : piece.ids.size();
  }
  constexpr std::size_t kMostTexts = 16;
  constexpr std::size_t kMostAdded = 4096;
  if (texts > kMostTexts || added > kMostAdded) {
    part.refuse(
        "key 'single': it repeats a text {} times and adds {} tokens; {} and {} are the most",
        texts, added, kMostTexts, kMostAdded);
  }
  if (pieces_.empty()) {
    part.refuse("key 'single': an empty template would drop every text");
  }
}

std::vector<TokenId> PostProcessor::apply(std::vector<TokenId> ids, bool add_special_tokens) const {
  if (pieces_.size() == 1 && pieces_[0].is_text) {
    return ids;
  }
  std::vector<TokenId> result;
  for (const Piece& piece : pieces_) {
    if (piece.is_text) {
      result.insert(result.end(), ids.begin(), ids.end());
    } else if (add_special_tokens) {
      result.insert(result.end(), piece.ids.begin(), piece.ids.end());
    }
  }
  return result;
}

}  // namespace lmpo
