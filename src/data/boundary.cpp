#include "data/boundary.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace lmpo {
namespace {

// How many elements two texts, or two lists of tokens, share at their beginning.
std::size_t common_length(const auto& a, const auto& b) {
  const auto most = static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                  a.begin());
}

// The longest common beginning of the texts, not inside a UTF-8 sequence.
std::string_view common_beginning(std::string_view first, const std::vector<std::string>& others) {
  std::size_t length = first.size();
  for (const std::string& other : others) {
    length = std::min(length, common_length(first, other));
  }
  while (length > 0 && length < first.size() &&
         (static_cast<unsigned char>(first[length]) & 0xC0) == 0x80) {
    --length;
  }
  return first.substr(0, length);
}

ordered_json to_json(const Turns& turns) {
  ordered_json messages = ordered_json::array();
  for (const Message& message : turns) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  return messages;
}

Turns joined(const Turns& prompt, const Turns& response) {
  Turns turns = prompt;
  turns.insert(turns.end(), response.begin(), response.end());
  return turns;
}

// Calls take(text) for what people wrote in a row.
void for_each_text(auto& row, auto&& take) {
  const auto of_passage = [&](auto& passage) {
    take(passage.text);
    for (auto& message : passage.turns) {
      take(message.content);
    }
  };
  of_passage(row.prompt);
  for (auto& response : row.responses) {
    of_passage(response);
  }
}

// The rule of the published script: the tokens before the responses may differ in the last alone.
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

}  // namespace

ordered_json template_variables(const Tokenizer& tokenizer) {
  ordered_json variables = ordered_json::object();
  const auto add = [&](const char* key, const std::string& token) {
    if (!token.empty()) {
      variables[key] = token;
    }
  };
  add("bos_token", tokenizer.bos_token());
  add("eos_token", tokenizer.eos_token());
  add("unk_token", tokenizer.unk_token());
  add("pad_token", tokenizer.pad_token());
  return variables;
}

// The texts of a row: the prompt's, and one for each response.
struct RowTokenizer::Rendered {
  std::string prompt;
  std::vector<std::string> responses;
  bool together = false;
};

RowTokenizer::RowTokenizer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                           const DataOptions& options)
    : tokenizer_(tokenizer),
      template_(chat_template),
      boundary_(options.boundary),
      split_special_tokens_(options.split_special_tokens),
      variables_(template_variables(tokenizer)) {
  const auto mentions = [&](std::string_view word) {
    return template_ != nullptr && template_->text().find(word) != std::string::npos;
  };
  insert_system_ = options.insert_empty_system && (mentions("system") || mentions("<|im_start|>"));
}

std::optional<TokenizedRow> RowTokenizer::tokenize(const Row& row,
                                                   std::string_view location) const {
  TokenizedRow result;
  for_each_text(row, [&](const std::string& text) {
    result.special_tokens_in_texts |= tokenizer_.has_special_tokens(text);
  });
  Rendered rendered;
  try {
    if (split_special_tokens_ && result.special_tokens_in_texts) {
      Row guarded = row;
      for_each_text(guarded,
                    [&](std::string& text) { text = tokenizer_.guard_special_tokens(text); });
      rendered = render_row(guarded);
    } else {
      rendered = render_row(row);
    }
  } catch (const UserError& error) {
    user_error("{}: {}", location, error.what());
  }
  result.rendered_together = rendered.together;
  const bool simpo = boundary_ == Boundary::simpo;
  const bool add_special = !simpo && !row.conversational;
  const std::vector<TokenId> context = encode(rendered.prompt, add_special);
  for (const std::string& response : rendered.responses) {
    const std::string text = rendered.prompt + response;
    bool merged = false;
    result.sequences.push_back(simpo ? encode_simpo(context, text, merged)
                                     : encode_trl(context, text, add_special, merged));
    result.token_spans_boundary |= merged;
  }
  if (simpo && !prompts_agree(result.sequences)) {
    return std::nullopt;
  }
  return result;
}

RowTokenizer::Rendered RowTokenizer::render_row(const Row& row) const {
  if (row.conversational) {
    if (template_ == nullptr) {
      user_error(
          "the row is a conversation, but the model has no chat template; add chat_template.jinja "
          "to "
          "its folder, or use rows of plain text");
    }
    return boundary_ == Boundary::simpo ? render_simpo(row) : render_trl(row);
  }
  Rendered rendered;
  rendered.prompt = row.prompt.text;
  const std::string& end = tokenizer_.eos_token();
  for (const Passage& response : row.responses) {
    const bool append = boundary_ == Boundary::trl && !response.text.ends_with(end);
    rendered.responses.push_back(append ? response.text + end : response.text);
  }
  return rendered;
}

std::string RowTokenizer::render(const Turns& turns, bool add_generation_prompt) const {
  return template_->render(to_json(turns), add_generation_prompt, variables_);
}

// The prompt up to where the model goes on: with the assistant's header, or inside its open turn.
std::string RowTokenizer::render_open_prompt(const Turns& prompt) const {
  if (prompt.back().role != "assistant") {
    return render(prompt, true);
  }
  // A mark at the end of the last turn shows where its text ends in the rendering. White space that
  // the template trims there falls away with the common beginning.
  constexpr std::string_view kMark = "CONTINUE_FINAL_MESSAGE_TAG";
  Turns marked = prompt;
  marked.back().content.append(kMark);
  std::string text = render(marked, false);
  const std::size_t at = text.rfind(kMark);
  if (at == std::string::npos) {
    user_error("the chat template does not show the prompt's last turn, which is the assistant's");
  }
  text.resize(at);
  return text;
}

RowTokenizer::Rendered RowTokenizer::render_trl(const Row& row) const {
  std::vector<std::string> whole;
  for (const Passage& response : row.responses) {
    whole.push_back(render(joined(row.prompt.turns, response.turns), false));
  }
  const std::string open_prompt = render_open_prompt(row.prompt.turns);
  Rendered rendered;
  rendered.prompt = common_beginning(open_prompt, whole);
  for (const std::string& text : whole) {
    rendered.responses.push_back(text.substr(rendered.prompt.size()));
  }
  return rendered;
}

RowTokenizer::Rendered RowTokenizer::render_simpo(const Row& row) const {
  Turns prompt = row.prompt.turns;
  std::vector<Turns> responses;
  for (const Passage& response : row.responses) {
    responses.push_back(response.turns);
  }
  if (row.implicit_prompt) {
    // The script takes all but the last turn of chosen as the prompt, whatever rejected says there.
    prompt.insert(prompt.end(), responses[0].begin(), responses[0].end() - 1);
    for (Turns& response : responses) {
      response.erase(response.begin(), response.end() - 1);
    }
  }
  if (insert_system_ && prompt.front().role != "system") {
    prompt.insert(prompt.begin(), {"system", ""});
  }
  Rendered rendered;
  rendered.prompt = render(prompt, false);
  for (const Turns& response : responses) {
    std::string text;
    try {
      text = render(response, false);
      if (text.starts_with(tokenizer_.bos_token())) {
        text.erase(0, tokenizer_.bos_token().size());
      }
    } catch (const UserError&) {
      text = render(joined(prompt, response), false);
      if (!text.starts_with(rendered.prompt)) {
        throw;
      }
      text.erase(0, rendered.prompt.size());
      rendered.together = true;
    }
    rendered.responses.push_back(std::move(text));
  }
  return rendered;
}

Sequence RowTokenizer::encode_trl(const std::vector<TokenId>& context, const std::string& text,
                                  bool add_special, bool& merged) const {
  Sequence sequence{.tokens = encode(text, add_special)};
  const std::size_t shared = common_length(context, sequence.tokens);
  merged = shared < context.size();
  sequence.scored_begin = static_cast<std::int32_t>(shared);
  return sequence;
}

Sequence RowTokenizer::encode_simpo(const std::vector<TokenId>& context, const std::string& text,
                                    bool& merged) const {
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
  if (eos && (begin == tokens.size() || tokens.back() != *eos)) {
    tokens.push_back(*eos);
  }
  return {std::move(tokens), static_cast<std::int32_t>(begin)};
}

// Tokens of a text. Where the post-processor adds BOS to text that begins with it, or EOS to text
// that ends with it, one is taken away.
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
