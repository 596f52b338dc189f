// CheckpointFacts as JSON and as text.
#include <fmt/ranges.h>

#include <algorithm>

#include "inspect/checkpoint_facts.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

std::string rope_text(const Rope& rope) {
  constexpr const char* kinds[] = {"", "linear", "dynamic", "yarn", "longrope", "llama3"};
  std::string text = fmt::format("theta {:g}", rope.theta);
  if (rope.kind == Rope::Kind::longrope) {
    text += fmt::format(", longrope beyond {} tokens", rope.original_positions);
  } else if (rope.kind != Rope::Kind::plain) {
    text += fmt::format(", {} scaling by {:g}", kinds[static_cast<std::size_t>(rope.kind)],
                        rope.factor);
  }
  return text;
}

// What layers differ in: their windows and their rotary tables.
std::string attention_text(const ModelConfig& c) {
  std::string text = rope_text(c.ropes[0]);
  const auto count = [&](const auto& has) { return std::ranges::count_if(c.layer_attention, has); };
  const auto windows = count([](const LayerAttention& layer) { return layer.window > 0; });
  const auto unturned = count([](const LayerAttention& layer) { return !layer.rope; });
  if (unturned > 0) {
    text += fmt::format(", none in {} layers", unturned);
  }
  if (windows > 0) {
    text += fmt::format(", sliding window of {}", widest_window(c));
  }
  if (windows > 0 && windows < c.layers) {
    text += fmt::format(" in {} layers", windows);
  }
  if (windows > 0 && c.ropes.size() > 1) {
    text += fmt::format(" with {}", rope_text(c.ropes[1]));
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
  out.prose(fmt::format("context of {} positions, rotary embedding: {}", c.max_positions,
                        attention_text(c)));
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
