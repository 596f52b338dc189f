#include "text/post_processor.h"

namespace lmpo {
namespace {

enum class Kind { byte_level, classifier, sequence, single_template };

TokenId checked_id(const JsonPart& part, std::int64_t id_limit) {
  const json& value = part.value();
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() >= static_cast<std::uint64_t>(id_limit)) {
    part.refuse("an id below {} was expected, not {}", id_limit, value.dump().substr(0, 60));
  }
  return value.get<TokenId>();
}

// The id of ["<s>", 0].
TokenId id_of_pair(const JsonPart& part, std::int64_t id_limit) {
  const auto elements = part.elements();
  if (elements.size() != 2) {
    part.refuse("a token and its id were expected, as [\"<s>\", 0]");
  }
  return checked_id(elements[1], id_limit);
}

// The ids that the template's "special_tokens" give to a name.
std::vector<TokenId> special_ids(const JsonPart& part, const std::string& name,
                                 std::int64_t id_limit) {
  const JsonPart token = part.child("special_tokens").child(name);
  if (token.absent()) {
    token.refuse("missing, but the template names it");
  }
  std::vector<TokenId> ids;
  for (const JsonPart& element : token.child("ids").elements()) {
    ids.push_back(checked_id(element, id_limit));
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
  static const std::map<std::string, Kind> known = {{"BertProcessing", Kind::classifier},
                                                    {"ByteLevel", Kind::byte_level},
                                                    {"RobertaProcessing", Kind::classifier},
                                                    {"Sequence", Kind::sequence},
                                                    {"TemplateProcessing", Kind::single_template}};
  switch (choose_by_type(part, known)) {
    case Kind::byte_level:
      break;
    case Kind::classifier:
      check_first(part);
      pieces_ = {{false, {id_of_pair(part.child("cls"), id_limit)}},
                 {true, {}},
                 {false, {id_of_pair(part.child("sep"), id_limit)}}};
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

void PostProcessor::check_first(const JsonPart& part) const {
  if (!pieces_.empty()) {
    part.refuse("more than one template is not supported");
  }
}

void PostProcessor::read_template(const JsonPart& part, std::int64_t id_limit) {
  check_first(part);
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
