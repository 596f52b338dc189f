#include "inspect/checkpoint_facts.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "bench/step_speed.h"
#include "data/boundary.h"
#include "generate/engine.h"
#include "model/model_folder.h"
#include "tensor/arena.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

constexpr std::int64_t kPairs = 2;
constexpr std::int64_t kTokens = 512;  // of a prompt and of a response
constexpr std::int64_t kLongestServed = 4096;

std::int64_t elements_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies());
}

std::size_t plan_training(const ModelConfig& config, const Ops& ops) {
  LargestPacks packs;
  const std::vector<Tree> trees = random_pairs(kPairs, kTokens, kTokens, config.vocab_size);
  packs.add(pointers(trees), {.micro_batch = kPairs});
  const LanguageModelOptions options = {.max_positions = 2 * kTokens, .recompute = Recompute::none};
  return plan_memory(config, {config.dtype}, options, packs, {}, ops).total();
}

std::size_t plan_serving(const ModelConfig& config, std::int64_t length, Ops& ops) {
  Arena arena = Arena::counting();
  Weights weights(config, config.dtype, WeightUse::inference, arena);
  Engine::count(weights, ops, arena, {.sequences = 1, .max_length = length});
  return arena.peak();
}

}  // namespace

TextFacts text_facts(const Tokenizer& tokenizer, const ChatTemplate* chat,
                     const std::vector<std::int64_t>& stop_ids) {
  TextFacts facts;
  facts.ids = tokenizer.id_limit();
  for (const auto& [name, token] : {std::pair("bos_token", tokenizer.bos_token()),
                                    std::pair("eos_token", tokenizer.eos_token()),
                                    std::pair("unk_token", tokenizer.unk_token()),
                                    std::pair("pad_token", tokenizer.pad_token())}) {
    if (!token.empty()) {
      facts.special.push_back({name, {token, tokenizer.find(token).value_or(-1)}});
    }
  }
  for (const std::int64_t id : stop_ids) {
    facts.stops.emplace_back(tokenizer.token(static_cast<TokenId>(id)), id);
  }
  if (chat != nullptr) {
    facts.template_size = std::ssize(chat->text());
    const auto turn = [](const char* role, const char* content) {
      return ordered_json{{"role", role}, {"content", content}};
    };
    try {
      facts.example = chat->render({turn("user", "QUESTION"), turn("assistant", "ANSWER")}, false,
                                   template_variables(tokenizer));
    } catch (const UserError& error) {
      facts.template_error = error.what();
    }
  }
  return facts;
}

std::int64_t parameter_count(const ModelConfig& config) {
  std::int64_t count = 0;
  for (const ModelTensor& tensor : model_tensors(config)) {
    count += elements_of(tensor.shape);
  }
  return count;
}

bool TextFacts::template_ends_turns() const {
  return std::ranges::any_of(stops, [&](const auto& stop) {
    return !stop.first.empty() && example.find(stop.first) != std::string::npos;
  });
}

namespace {

// Takes what a check refuses as a warning.
template <typename Check>
void collect(std::vector<std::string>& warnings, const Check& check) {
  try {
    check();
  } catch (const UserError& error) {
    warnings.emplace_back(error.what());
  }
}

void add_text(CheckpointFacts& facts, const fs::path& folder) {
  std::vector<std::string>& warnings = facts.warnings;
  collect(warnings, [&] {
    const Tokenizer tokenizer = Tokenizer::load(folder);
    const auto chat = ChatTemplate::load(folder);
    facts.text =
        text_facts(tokenizer, chat ? &*chat : nullptr, read_stop_ids(folder, facts.config));
  });
  collect(warnings, [&] { check_tokenizer_fits(facts.config, facts.text.ids, folder); });
  const TextFacts& text = facts.text;
  if (text.ids > 0 && text.template_size == 0) {
    warnings.emplace_back("no chat template: conversations cannot be rendered");
  }
  if (!text.template_error.empty()) {
    warnings.push_back(text.template_error);
  } else if (text.template_size > 0 && !text.template_ends_turns()) {
    warnings.emplace_back(
        "the chat template ends an answer with none of the tokens at which generation stops");
  }
}

}  // namespace

CheckpointFacts checkpoint_facts(const fs::path& folder) {
  CheckpointFacts facts;
  facts.folder = folder.string();
  facts.config = read_model_config(folder);
  const Checkpoint checkpoint = Checkpoint::open(folder);
  for (const std::string& name : checkpoint.names()) {
    const StoredTensor& tensor = *checkpoint.find(name);
    StoredPart& part = facts.parts[tensor.dtype];
    ++part.tensors;
    part.bytes += static_cast<std::int64_t>(tensor.end - tensor.begin);
    part.elements += elements_of(tensor.shape);
  }
  facts.parameters = parameter_count(facts.config);
  collect(facts.warnings, [&] { check_tensors(facts.config, checkpoint); });
  add_text(facts, folder);
  const std::unique_ptr<Ops> cpu = make_cpu_ops();
  const std::unique_ptr<Ops> ops = make_plan_ops(*cpu);
  facts.train_bytes = plan_training(facts.config, *ops);
  facts.served_length = std::min(facts.config.max_positions, kLongestServed);
  facts.serve_bytes = plan_serving(facts.config, facts.served_length, *ops);
  return facts;
}

}  // namespace lmpo
