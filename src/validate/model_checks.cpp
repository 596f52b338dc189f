// Checks that the files of the model's folder agree with each other.
#include <fmt/format.h>

#include <algorithm>

#include "validate/checks.h"

namespace lmpo {

void check_tokenizer_size(const RunFacts& facts, Findings& findings) {
  if (!facts.model || !facts.text || facts.text->ids <= facts.model->vocab_size) {
    return;
  }
  findings.error(
      "tokenizer_exceeds_embedding", facts.where("model_name_or_path"),
      fmt::format("the tokenizer has ids up to {}, but the model's embedding has only {} rows",
                  facts.text->ids - 1, facts.model->vocab_size),
      "use the tokenizer that the model was trained with; tokens added later need rows "
      "of their own in the embedding");
}

void check_special_tokens(const RunFacts& facts, Findings& findings) {
  if (!facts.model || !facts.text) {
    return;
  }
  const std::string place = facts.where("model_name_or_path");
  for (const auto& [role, token] : facts.text->special) {
    const auto& [text, id] = token;
    if (id < 0) {
      findings.warning("special_token_unknown", place,
                       fmt::format("the {} {} is not in the tokenizer's vocabulary, so its text "
                                   "becomes several tokens",
                                   role, text),
                       "correct it in tokenizer_config.json, or add it to tokenizer.json");
    }
    const bool stops = std::ranges::any_of(
        facts.text->stops, [eos = id](const auto& stop) { return stop.second == eos; });
    if (role == "eos_token" && id >= 0 && !stops) {
      findings.warning(
          "eos_not_a_stop", place,
          fmt::format("generation does not stop at the tokenizer's {} {} (id {})", role, text, id),
          "add it to eos_token_id in generation_config.json or config.json");
    }
    if (role == "bos_token" && id >= 0 && facts.model->bos_id && *facts.model->bos_id != id) {
      findings.warning(
          "bos_differs", place,
          fmt::format("the tokenizer's {} {} is id {}, but bos_token_id in config.json "
                      "is {}",
                      role, text, id, *facts.model->bos_id),
          "find out which one the model was trained with and correct the other");
    }
  }
  for (const auto& [token, id] : facts.text->stops) {
    if (id >= facts.model->vocab_size) {
      findings.warning("stop_beyond_vocabulary", place,
                       fmt::format("eos_token_id is {}, but the model has only {} tokens", id,
                                   facts.model->vocab_size),
                       "correct eos_token_id in generation_config.json or config.json");
    }
  }
}

void check_chat_template(const RunFacts& facts, Findings& findings) {
  if (!facts.text) {
    return;
  }
  const std::string place = facts.recipe.chat_template_path.empty()
                                ? facts.where("model_name_or_path")
                                : facts.where("chat_template_path");
  if (!facts.text->template_error.empty()) {
    findings.warning(
        "template_raises", place,
        fmt::format("the chat template cannot render a question with its answer: {}",
                    facts.text->template_error),
        "set chat_template_path to a file with another template; plain text works without one");
  } else if (facts.text->template_size == 0) {
    findings.note(
        "no_chat_template", place,
        "the model has no chat template: rows of messages cannot be rendered, rows of plain "
        "text can",
        "for conversations, set chat_template_path to a file with a template");
  } else if (!facts.text->template_ends_turns()) {
    findings.warning(
        "template_without_end_of_turn", place,
        "the chat template ends an answer with none of the tokens at which generation "
        "stops, so a model trained with it does not learn to stop",
        "write the end-of-turn token after the assistant's turn, or add the token that "
        "the template writes to eos_token_id in generation_config.json");
  }
}

void check_positions(const RunFacts& facts, Findings& findings) {
  if (!facts.model) {
    return;
  }
  for (const DataFacts* data : facts.data()) {
    const auto is_too_short = [&](const Rope& rope) {
      return rope.kind == Rope::Kind::dynamic && data->longest > rope.original_positions;
    };
    if (const auto rope = std::ranges::find_if(facts.model->ropes, is_too_short);
        rope != facts.model->ropes.end()) {
      findings.error(
          "dynamic_rope_exceeded", facts.where("max_length"),
          fmt::format(
              "{}: the longest sequence has {} tokens, but the model's rotary embedding "
              "(rope_type: dynamic) is defined for {}: what transformers computes of longer "
              "ones depends on the batch",
              data->what, data->longest, rope->original_positions),
          fmt::format("set max_length to {} or less", rope->original_positions));
    } else if (data->longest > facts.model->max_positions) {
      findings.warning("positions_exceeded", facts.where("max_length"),
                       fmt::format("{}: the longest sequence has {} tokens, but the model was made "
                                   "for {} (max_position_embeddings)",
                                   data->what, data->longest, facts.model->max_positions),
                       fmt::format("set max_length to {} or less", facts.model->max_positions));
    }
  }
}

}  // namespace lmpo
