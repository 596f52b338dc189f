#include "train/eval_samples.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "data/source_rows.h"
#include "model/loaded_model.h"
#include "train/event_file.h"
#include "train/packs.h"

namespace lmpo {
namespace {

std::vector<std::int32_t> prompt_of(const Tree& tree) {
  const Sequence& first = tree.sequences.front();
  return {first.tokens.begin(), first.tokens.begin() + first.scored_begin};
}

// None where there is no evaluation data.
Trees choose_prompts(const TrainInputs& inputs, const ModelConfig& config) {
  Trees chosen;
  if (!inputs.evaluation) {
    return chosen;
  }
  const std::vector<Tree>& trees = inputs.evaluation->trees;
  const std::int64_t count = inputs.recipe.eval_samples;
  std::set<std::vector<std::int32_t>> seen;
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    for (next = std::max(next, std::ssize(trees) * i / count); next < std::ssize(trees); ++next) {
      const Tree& tree = trees[static_cast<std::size_t>(next)];
      std::vector<std::int32_t> prompt = prompt_of(tree);
      if (std::ssize(prompt) < config.max_positions && seen.insert(std::move(prompt)).second) {
        chosen.push_back(&tree);
        break;
      }
    }
  }
  return chosen;
}

PromptTokens tokens_of(const Trees& chosen) {
  PromptTokens prompts;
  for (const Tree* tree : chosen) {
    prompts.push_back(prompt_of(*tree));
  }
  return prompts;
}

GenerationOptions greedy(const TrainRecipe& recipe) {
  return {.sampling = {.temperature = 0}, .max_new_tokens = recipe.eval_sample_tokens};
}

// Of a text that is printable: its last or its first characters, with dots for what is left out.
std::string last_of(const std::string& text, std::int64_t characters) {
  std::size_t begin = text.size();
  for (std::int64_t kept = 0; begin > 0 && kept < characters; ++kept) {
    begin = previous_character(text, begin);
  }
  if (begin == 0) {
    return text;
  }
  for (int dots = 0; dots < 3 && begin < text.size(); ++dots) {
    begin += utf8_size(text[begin]);
  }
  return "..." + text.substr(begin);
}

std::string first_of(const std::string& text, std::int64_t characters) {
  std::size_t end = 0;
  std::size_t before_dots = 0;
  for (std::int64_t kept = 0; end < text.size(); ++kept) {
    if (kept == characters) {
      return text.substr(0, before_dots) + "...";
    }
    end += utf8_size(text[end]);
    before_dots = kept < characters - 3 ? end : before_dots;
  }
  return text;
}

}  // namespace

EvalSamples::EvalSamples(const TrainInputs& inputs, const ModelConfig& config)
    : options_(greedy(inputs.recipe)) {
  const TrainRecipe& recipe = inputs.recipe;
  const Trees chosen = choose_prompts(inputs, config);
  if (chosen.empty()) {
    return;
  }
  prompts_ = tokens_of(chosen);
  for (const Tree* tree : chosen) {
    rows_.push_back(tree->row);
  }
  sources_ = inputs.evaluation->sources;
  kind_ = recipe.data.kind;
  options_.stop_ids = stop_tokens(recipe.model_name_or_path, config);
  tokenizer_ = Tokenizer::load(recipe.model_name_or_path);
}

EngineSize EvalSamples::planned(const TrainInputs& inputs, const ModelConfig& config) {
  return generation_size(tokens_of(choose_prompts(inputs, config)), greedy(inputs.recipe), config);
}

// The answers are worth more than what they are found by.
void EvalSamples::read_messages() {
  if (!messages_.empty()) {
    return;
  }
  messages_.resize(prompts_.size());
  try {
    const auto found = read_prompts(sources_, kind_, {rows_.begin(), rows_.end()});
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (const auto prompt = found.find(rows_[i]); prompt != found.end()) {
        messages_[i] = prompt->second;
      }
    }
  } catch (const std::exception& error) {
    log_warning("the sample answers are kept without their messages: {}", error.what());
  }
}

std::vector<EvalSample> EvalSamples::generate(Weights& weights, Ops& ops, Arena& arena,
                                              std::function<bool()> interrupted) {
  read_messages();
  GenerationOptions options = options_;
  bool stopped = false;
  options.interrupted = [&] { return stopped = interrupted && interrupted(); };
  std::vector<EvalSample> samples(prompts_.size());
  generate_with(weights, ops, arena, prompts_, options, [&](const Completion& completion) {
    const auto index = static_cast<std::size_t>(completion.prompt);
    samples[index] = {.index = completion.prompt,
                      .prompt = tokenizer_->decode(prompts_[index], true),
                      .messages = messages_[index],
                      .response = tokenizer_->decode(completion.tokens, true),
                      .tokens = std::ssize(completion.tokens),
                      .stopped = completion.stopped};
  });
  return stopped ? std::vector<EvalSample>() : samples;
}

std::string eval_sample_line(const EvalSample& sample, std::int64_t step) {
  return json_line({{"step", step},
                    {"index", sample.index},
                    {"messages", sample.messages},
                    {"prompt", sample.prompt},
                    {"response", sample.response},
                    {"tokens", sample.tokens},
                    {"finish_reason", sample.stopped ? "stop" : "length"}});
}

std::string readable_sample(const EvalSample& sample, std::int64_t columns) {
  const std::string label = fmt::format("  sample {}  ", sample.index);
  const std::string prompt = printable(sample.prompt, LineEnds::escape);
  const std::string response = printable(sample.response, LineEnds::escape);
  const std::int64_t room = std::max<std::int64_t>(8, columns - std::ssize(label) - 4);  // " => "
  const std::string shown = last_of(prompt, room / 3);
  std::int64_t rest = room;
  for (std::size_t at = 0; at < shown.size(); at += utf8_size(shown[at])) {
    --rest;
  }
  return fmt::format("{}{} => {}", label, shown, first_of(response, rest));
}

std::string markdown_sample(const EvalSample& sample) {
  const auto shown = [](const std::string& text) {
    return literal_markdown(printable(text, LineEnds::keep));
  };
  return fmt::format("prompt\n\n{}\n\nresponse ({} tokens{})\n\n{}\n", shown(sample.prompt),
                     sample.tokens, sample.stopped ? "" : ", cut", shown(sample.response));
}

}  // namespace lmpo
