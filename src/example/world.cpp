#include "example/world.h"

#include <algorithm>
#include <sstream>

namespace lmpo {
namespace {

const std::vector<std::string> kBefore = {"", "the answer is",
                                          "well , let me think . the answer is"};
const std::vector<std::string> kAfter = {"", "i hope this helps .",
                                         "please ask me again if you want to know more ."};

// In the order of Task.
constexpr const char* kTaskNames[] = {"first", "last", "repeat", "reverse"};

// The task that a wrong answer solves instead.
Task shortcut(Task task) {
  switch (task) {
    case Task::first:
      return Task::last;
    case Task::last:
      return Task::first;
    case Task::repeat:
      return Task::reverse;
    case Task::reverse:
      return Task::repeat;
  }
  return task;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

const std::string& pick(const std::vector<std::string>& from, Random& random) {
  return from[static_cast<std::size_t>(random.below(from.size()))];
}

}  // namespace

const std::vector<std::string>& list_words() {
  static const std::vector<std::string> words = {"cat",  "moon", "red",  "tree", "stone", "bird",
                                                 "blue", "fish", "sun",  "gold", "river", "wolf",
                                                 "snow", "rose", "star", "leaf"};
  return words;
}

const std::vector<std::string>& other_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all = {".", ":", "first", "last", "repeat", "reverse"};
    for (const auto* texts : {&kBefore, &kAfter}) {
      for (const std::string& text : *texts) {
        for (const std::string& word : words_of(text)) {
          if (std::ranges::find(all, word) == all.end()) {
            all.push_back(word);
          }
        }
      }
    }
    return all;
  }();
  return words;
}

std::string Instruction::text() const {
  return std::string(kTaskNames[static_cast<int>(task)]) + " : " + joined(words);
}

std::vector<std::string> Instruction::answer() const {
  switch (task) {
    case Task::first:
      return {words.front()};
    case Task::last:
      return {words.back()};
    case Task::repeat:
      return words;
    case Task::reverse:
      return {words.rbegin(), words.rend()};
  }
  return {};
}

std::optional<Instruction> parse_instruction(const std::string& text) {
  std::vector<std::string> words = words_of(text);
  const auto task =
      std::find(std::begin(kTaskNames), std::end(kTaskNames), words.empty() ? "" : words[0]);
  if (task == std::end(kTaskNames) || words.size() < 4 || words[1] != ":") {
    return std::nullopt;
  }
  words.erase(words.begin(), words.begin() + 2);
  return Instruction{static_cast<Task>(task - std::begin(kTaskNames)), std::move(words)};
}

Instruction random_instruction(Random& random) {
  Instruction instruction{static_cast<Task>(random.below(4)), {}};
  const std::size_t count = 2 + static_cast<std::size_t>(random.below(3));
  while (instruction.words.size() < count) {
    const std::string& word = pick(list_words(), random);
    if (std::ranges::find(instruction.words, word) == instruction.words.end()) {
      instruction.words.push_back(word);
    }
  }
  return instruction;
}

std::string random_answer(const Instruction& instruction, const WorldChances& chances,
                          Random& random) {
  const bool lazy = instruction.task == Task::last || instruction.task == Task::reverse;
  const bool right = random.uniform() < (lazy ? chances.right_lazy : chances.right_easy);
  const Instruction done = {right ? instruction.task : shortcut(instruction.task),
                            instruction.words};
  const std::string& before = pick(kBefore, random);
  const std::string& after = pick(kAfter, random);
  return (before.empty() ? "" : before + " ") + joined(done.answer()) + " ." +
         (after.empty() ? "" : " " + after);
}

bool is_right(const Instruction& instruction, const std::string& answer) {
  std::vector<std::string> given;
  for (const std::string& word : words_of(answer)) {
    if (std::ranges::find(list_words(), word) != list_words().end()) {
      given.push_back(word);
    }
  }
  return given == instruction.answer();
}

namespace {

// Which answer is more likely to be preferred, and its probability. If both are equally right and
// equally long, it is the second.
struct Tendency {
  bool to_first;
  double chance;
};

Tendency tendency(const Instruction& instruction, const std::string& first,
                  const std::string& second, const WorldChances& chances) {
  const bool first_right = is_right(instruction, first);
  if (first_right != is_right(instruction, second)) {
    return {first_right, chances.right_wins};
  }
  return {first.size() > second.size(), chances.longer_wins};
}

double chance_of_first(const Tendency& tends) {
  return tends.to_first ? tends.chance : 1 - tends.chance;
}

}  // namespace

double preference(const Instruction& instruction, const std::string& answer,
                  const std::string& other, const WorldChances& chances) {
  return (chance_of_first(tendency(instruction, answer, other, chances)) + 1 -
          chance_of_first(tendency(instruction, other, answer, chances))) /
         2;
}

Comparison random_comparison(const Instruction& instruction, const WorldChances& chances,
                             Random& random) {
  std::string a = random_answer(instruction, chances, random);
  std::string b = a;
  while (a == b) {
    b = random_answer(instruction, chances, random);
  }
  const Tendency tends = tendency(instruction, a, b, chances);
  const bool a_wins = tends.to_first == (random.uniform() < tends.chance);
  return a_wins ? Comparison{std::move(a), std::move(b)} : Comparison{std::move(b), std::move(a)};
}

}  // namespace lmpo
