#include "evaluate/judge.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

// What Python's re.split(r"\s+", text) gives: one more than there are runs of white space.
std::int64_t words(std::string_view text) {
  std::int64_t count = 1;
  bool in_space = false;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    const bool space = jinja::is_python_space(text.substr(at, utf8_size(text[at])));
    count += space && !in_space ? 1 : 0;
    in_space = space;
  }
  return count;
}

}  // namespace

Asked asked_choices(std::string prompt, std::vector<std::string> choices, std::int64_t gold) {
  Asked asked{.prompts = {std::move(prompt)}, .choices = std::move(choices), .gold = gold};
  if (gold >= 0 && gold < std::ssize(asked.choices)) {
    asked.answer = asked.choices[static_cast<std::size_t>(gold)];
  } else {
    asked.gold = -1;
  }
  return asked;
}

std::size_t index_of_largest(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

std::vector<Judgement> judge_choices(const Document&, const Asked& asked,
                                     std::span<const Reply> replies) {
  std::vector<double> logps;
  std::vector<double> per_character;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const std::string& choice = asked.choices[asked.choices.size() == 1 ? 0 : i];
    logps.push_back(replies[i].logp);
    per_character.push_back(replies[i].logp / static_cast<double>(characters(choice)));
  }
  const auto right = [&](std::span<const double> values) {
    return std::cmp_equal(index_of_largest(values), asked.gold) ? 1.0 : 0.0;
  };
  return {{.metrics = {{"acc", {right(logps)}}, {"acc_norm", {right(per_character)}}}}};
}

std::vector<Judgement> judge_text(const Document&, const Asked& asked,
                                  std::span<const Reply> replies) {
  const std::string& text = asked.prompts[0];
  const double logp = replies[0].logp;
  const auto bytes = static_cast<double>(text.size());
  return {{.metrics = {{"word_perplexity", {logp, static_cast<double>(words(text))}},
                       {"byte_perplexity", {logp, bytes}},
                       {"bits_per_byte", {logp, bytes}}}}};
}

}  // namespace lmpo
