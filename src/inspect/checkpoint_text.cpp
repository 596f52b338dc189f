// CheckpointFacts as JSON and as text.
#include <fmt/ranges.h>

#include "inspect/checkpoint_facts.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

std::string rope_text(const ModelConfig& config) {
  std::string text = fmt::format("theta {:g}", config.rope_theta);
  if (config.rope_scaling.kind != RopeScaling::Kind::none) {
    const bool linear = config.rope_scaling.kind == RopeScaling::Kind::linear;
    text += fmt::format(", {} scaling by {:g}", linear ? "linear" : "llama3",
                        config.rope_scaling.factor);
  }
  return text;
}

void print_sizes(const CheckpointFacts& facts, TerminalText& out) {
  const ModelConfig& c = facts.config;
  out.prose(
      fmt::format("{} parameters in {} layers: hidden {}, feed-forward {}, {} query and {} key "
                  "heads of {}, vocabulary {}",
                  facts.parameters, c.layers, c.hidden_size, c.intermediate_size, c.heads,
                  c.key_heads, c.head_size, c.vocab_size));
  out.prose(fmt::format(
      "context of {} positions, rotary embedding: {}{}", c.max_positions, rope_text(c),
      c.sliding_window > 0 ? fmt::format(", sliding window of {}", c.sliding_window) : ""));
  out.prose(c.tie_word_embeddings ? "output head and embedding share their weights"
                                  : "output head and embedding have separate weights");
  for (const auto& [dtype, part] : facts.parts) {
    out.prose(fmt::format("stored as {}: {} tensors, {} numbers, {}", dtype, part.tensors,
                          part.elements, readable_bytes(static_cast<std::size_t>(part.bytes))));
  }
}

void print_text(const TextFacts& text, TerminalText& out) {
  out.heading("Tokens and template");
  out.prose(fmt::format("token ids: 0 to {}", text.ids - 1));
  for (const auto& [name, token] : text.special) {
    out.prose(
        fmt::format("{}: {} ({})", name, token.first,
                    token.second < 0 ? "not in the vocabulary" : fmt::format("{}", token.second)));
  }
  for (const auto& [token, id] : text.stops) {
    out.prose(fmt::format("generation stops at {} ({})", token, id));
  }
  if (text.template_size == 0) {
    return;
  }
  out.prose(fmt::format("chat template of {} bytes; a question and its answer become:",
                        text.template_size));
  out.begin_content("  | ");
  out.content(text.example, Ink::prompt);
  out.end_content();
}

}  // namespace

ordered_json to_json(const CheckpointFacts& facts) {
  ordered_json parts = ordered_json::object();
  for (const auto& [dtype, part] : facts.parts) {
    parts[dtype] = {{"tensors", part.tensors}, {"elements", part.elements}, {"bytes", part.bytes}};
  }
  ordered_json special = ordered_json::object();
  for (const auto& [name, token] : facts.text.special) {
    special[name] = {{"text", token.first}, {"id", token.second}};
  }
  ordered_json stops = ordered_json::array();
  for (const auto& [token, id] : facts.text.stops) {
    stops.push_back({{"text", token}, {"id", id}});
  }
  const bool has_template = facts.text.template_size > 0;
  return {{"folder", facts.folder},
          {"family", facts.config.family},
          {"config", facts.config.original},
          {"parameters", facts.parameters},
          {"tied", facts.config.tie_word_embeddings},
          {"stored", std::move(parts)},
          {"tokenizer_ids", facts.text.ids},
          {"special_tokens", std::move(special)},
          {"stop_tokens", std::move(stops)},
          {"template_example", has_template ? ordered_json(facts.text.example) : ordered_json()},
          {"train_bytes", facts.train_bytes},
          {"serve_bytes", facts.serve_bytes},
          {"served_length", facts.served_length},
          {"warnings", facts.warnings}};
}

void print(const CheckpointFacts& facts, TerminalText& out) {
  out.prose(fmt::format("{}: a {} model", facts.folder, facts.config.family), Ink::heading);
  print_sizes(facts, out);
  out.heading("Memory");
  out.prose(fmt::format(
      "training on batches of two pairs, each a prompt of 512 tokens and two responses of 512: "
      "{} (lmpo plan shows the parts and how to need less)",
      readable_bytes(facts.train_bytes)));
  out.prose(fmt::format("generating one answer of up to {} tokens: {}", facts.served_length,
                        readable_bytes(facts.serve_bytes)));
  if (facts.text.ids > 0) {
    print_text(facts.text, out);
  }
  out.warnings(facts.warnings);
}

}  // namespace lmpo
