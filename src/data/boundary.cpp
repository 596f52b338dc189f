#include "data/boundary.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/rendering_checks.h"

namespace lmpo {
namespace {

template <typename Tokens1, typename Tokens2>
std::size_t common_length(const Tokens1& a, const Tokens2& b) {
  const auto most = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                  a.begin());
}

// Calls take(text) for every string value in a JSON value, but not for keys.
void for_each_string(auto& value, auto&& take) {
  if (value.is_structured()) {
    for (auto& each : value) {
      for_each_string(each, take);
    }
  } else if (auto* text =
                 value.template get_ptr<
                     std::conditional_t<std::is_const_v<std::remove_reference_t<decltype(value)>>,
                                        const std::string*, std::string*>>()) {
    take(*text);
  }
}

// Calls take(text) for every text of a row that comes from the data.
void for_each_text(auto& row, auto&& take) {
  const auto of_passage = [&](auto& passage) {
    take(passage.text);
    for (auto& message : passage.turns) {
      take(message.content);
      for_each_string(message.more, take);
    }
  };
  of_passage(row.prompt);
  for (auto& response : row.responses) {
    of_passage(response);
  }
}

// The rule of the published script: the prompts' tokens may differ only in the last one.
bool prompts_agree(const std::vector<Sequence>& sequences) {
  for (const Sequence& sequence : sequences) {
    const Sequence& first = sequences.front();
    if (std::abs(sequence.scored_begin - first.scored_begin) > 1) {
      return false;
    }
    const auto shared = std::min(sequence.scored_begin, first.scored_begin);
    std::int64_t different = 0;
    for (std::size_t index = 0; index < static_cast<std::size_t>(shared); ++index) {
      different += sequence.tokens[index] != first.tokens[index];
    }
    if (different > 1) {
      return false;
    }
  }
  return true;
}

// Tokens of which the runs are scored, without those after the last run.
Sequence sequence_of(std::vector<TokenId> tokens, const std::vector<TokenRun>& runs) {
  if (runs.empty()) {
    const auto size = static_cast<std::int32_t>(tokens.size());
    return {std::move(tokens), size};
  }
  tokens.resize(static_cast<std::size_t>(runs.back().end));
  Sequence sequence{std::move(tokens), runs.front().begin};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    if (runs[i - 1].end < runs[i].begin) {
      sequence.gaps.push_back({runs[i - 1].end, runs[i].begin});
    }
  }
  return sequence;
}

}  // namespace

RowTokenizer::RowTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                           const DataOptions& options)
    : tokenizer_(tokenizer),
      renderer_(tokenizer, chat_template, options),
      boundary_(options.boundary),
      split_special_tokens_(options.split_special_tokens) {}

std::variant<TokenizedRow, DropReason> RowTokenizer::tokenize(const Row& row,
                                                              std::string_view location) const {
  TokenizedRow result;
  for_each_text(row, [&](const std::string& text) {
    result.special_tokens_in_texts |= tokenizer_.has_special_tokens(text);
  });
  std::variant<RenderedRow, DropReason> outcome = DropReason::prompt_in_response;
  try {
    if (split_special_tokens_ && result.special_tokens_in_texts) {
      Row guarded = row;
      for_each_text(guarded,
                    [&](std::string& text) { text = tokenizer_.guard_special_tokens(text); });
      outcome = renderer_.render(guarded);
    } else {
      outcome = renderer_.render(row);
    }
  } catch (const UserError& error) {
    user_error("{}: {}", location, error.what());
  }
  if (const auto* reason = std::get_if<DropReason>(&outcome)) {
    return *reason;
  }
  auto& rendered = std::get<RenderedRow>(outcome);
  result.notes = std::move(rendered.notes);
  if (!rendered.scored.empty()) {
    encode_scored(rendered, result);
    return result;
  }
  if (boundary_ == Boundary::trl) {
    const bool add_special = !row.conversational;
    encode_trl(encode(rendered.prompt, add_special), rendered, add_special, result);
    return result;
  }
  const std::vector<TokenId> context = encode(rendered.prompt, false);
  for (const std::string& response : rendered.responses) {
    bool merged = false;
    const bool append_end = row.conversational || !ends_itself(response, tokenizer_.eos_token());
    result.sequences.push_back(
        encode_simpo(context, rendered.prompt + response, append_end, merged));
    result.token_spans_boundary |= merged;
  }
  if (!prompts_agree(result.sequences)) {
    return DropReason::unstable_prompt;
  }
  return result;
}

void RowTokenizer::encode_trl(const std::vector<TokenId>& context, const RenderedRow& rendered,
                              bool add_special, TokenizedRow& result) const {
  std::size_t shared = context.size();
  for (const std::string& response : rendered.responses) {
    std::vector<TokenId> tokens = encode(rendered.prompt + response, add_special);
    shared = std::min(shared, common_length(context, tokens));
    result.sequences.push_back({.tokens = std::move(tokens)});
  }
  result.token_spans_boundary = shared < context.size();
  for (Sequence& sequence : result.sequences) {
    sequence.scored_begin = static_cast<std::int32_t>(shared);
  }
}

void RowTokenizer::encode_scored(const RenderedRow& rendered, TokenizedRow& result) const {
  const std::string text = rendered.prompt + rendered.responses.front();
  std::vector<TokenId> tokens = encode(text, false);
  // Tokens that the first `size` bytes of the text share with it, and whether a token spans their
  // end.
  const auto place = [&](std::size_t size) {
    const std::vector<TokenId> before = encode(text.substr(0, size), false);
    const std::size_t shared = common_length(before, tokens);
    return std::pair(static_cast<std::int32_t>(shared), shared < before.size());
  };
  std::vector<TokenRun> runs;
  for (const jinja::Span& span : rendered.scored) {
    const auto [begin, begin_spanned] = place(span.begin);
    const auto [end, end_spanned] = place(span.end);
    // As transformers does, a token that spans the end of a mark is scored.
    const TokenRun run{std::max(begin, runs.empty() ? 0 : runs.back().end),
                       end + (rendered.marked && end_spanned ? 1 : 0)};
    result.token_spans_boundary |= begin_spanned;
    if (run.begin < run.end) {
      runs.push_back(run);
    }
  }
  result.sequences.push_back(sequence_of(std::move(tokens), runs));
}

Sequence RowTokenizer::encode_simpo(const std::vector<TokenId>& context, const std::string& text,
                                    bool append_end, bool& merged) const {
  std::vector<TokenId> tokens = encode(text, false);
  merged = common_length(context, tokens) < context.size();
  std::size_t begin = std::min(context.size(), tokens.size());
  begin -= merged && begin > 0 ? 1 : 0;

  const auto bos = tokenizer_.bos_id();
  if (bos && (tokens.empty() || tokens.front() != *bos)) {
    tokens.insert(tokens.begin(), *bos);
    ++begin;
  }
  const auto eos = tokenizer_.eos_id();
  if (eos && append_end && (begin == tokens.size() || tokens.back() != *eos)) {
    tokens.push_back(*eos);
  }
  return {std::move(tokens), static_cast<std::int32_t>(begin)};
}

// Tokens of a text. If the post-processor added a second BOS or EOS, it is removed.
std::vector<TokenId> RowTokenizer::encode(const std::string& text, bool add_special) const {
  std::vector<TokenId> tokens = tokenizer_.encode(
      text, add_special, split_special_tokens_ ? SpecialText::guarded : SpecialText::tokens);
  if (!add_special) {
    return tokens;
  }
  const auto bos = tokenizer_.bos_id();
  if (tokens.size() > 1 && bos && tokens[0] == *bos && tokens[1] == *bos) {
    tokens.erase(tokens.begin());
  }
  const auto eos = tokenizer_.eos_id();
  if (tokens.size() > 1 && eos && tokens.back() == *eos && tokens[tokens.size() - 2] == *eos) {
    tokens.pop_back();
  }
  return tokens;
}

}  // namespace lmpo
