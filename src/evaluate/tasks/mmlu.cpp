// MMLU: Hendrycks et al. (arXiv 2009.03300); MMLU-Pro: Wang et al. (arXiv 2406.01574).
#include <array>

#include "evaluate/judge.h"
#include "evaluate/registry.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

struct SubjectField {
  std::string_view name;
  std::vector<std::string_view> subjects;
};

const std::vector<SubjectField>& subject_fields() {
  static const std::vector<SubjectField> fields = {
      {"stem",
       {"abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry",
        "college_computer_science", "college_mathematics", "college_physics", "computer_security",
        "conceptual_physics", "electrical_engineering", "elementary_mathematics",
        "high_school_biology", "high_school_chemistry", "high_school_computer_science",
        "high_school_mathematics", "high_school_physics", "high_school_statistics",
        "machine_learning"}},
      {"other",
       {"business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging",
        "management", "marketing", "medical_genetics", "miscellaneous", "nutrition",
        "professional_accounting", "professional_medicine", "virology"}},
      {"social_sciences",
       {"econometrics", "high_school_geography", "high_school_government_and_politics",
        "high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology",
        "human_sexuality", "professional_psychology", "public_relations", "security_studies",
        "sociology", "us_foreign_policy"}},
      {"humanities",
       {"formal_logic", "high_school_european_history", "high_school_us_history",
        "high_school_world_history", "international_law", "jurisprudence", "logical_fallacies",
        "moral_disputes", "moral_scenarios", "philosophy", "prehistory", "professional_law",
        "world_religions"}}};
  return fields;
}

std::string letter(std::size_t index) {
  return std::string(1, static_cast<char>('A' + index));
}

// "A. first\nB. second\n"
std::string lettered(const std::vector<std::string>& options) {
  std::string text;
  for (std::size_t i = 0; i < options.size(); ++i) {
    text += letter(i) + ". " + options[i] + "\n";
  }
  return text;
}

std::vector<std::string> letters(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(letter(i));
  }
  return all;
}

Asked ask_mmlu(const Document& document) {
  const std::vector<std::string> options = document.texts("choices");
  if (options.size() != 4) {
    document.refuse("choices", "a list of four texts");
  }
  return asked_choices(jinja::strip(document.text("question"), {}, true, true) + "\n" +
                           lettered(options) + "Answer:",
                       letters(4), document.number("answer"));
}

Asked ask_mmlu_pro(const Document& document) {
  const std::vector<std::string> options = document.texts("options");
  if (options.empty() || options.size() > 26) {
    document.refuse("options", "a list of up to 26 texts");
  }
  std::vector<std::string> choices = letters(options.size());
  const std::int64_t gold = index_of(choices, document.text("answer"));
  Asked asked = asked_choices(
      document.text("question") + "\n" + lettered(options) + "Answer:", std::move(choices), gold);
  asked.target = document.text("answer");
  return asked;
}

TaskInfo mmlu(std::string_view subject) {
  return {.name = "mmlu_" + std::string(subject),
          .summary = "questions of exams: " + jinja::replace(subject, "_", " ", -1),
          .data = {.dataset = "cais/mmlu",
                   .config = std::string(subject),
                   .split = "test",
                   .example_split = "dev",
                   .columns = {"question", "subject", "choices", "answer"}},
          .description = "The following are multiple choice questions (with answers) about " +
                         jinja::replace(subject, "_", " ", -1) + ".\n\n",
          .first_examples = true,
          .ask = ask_mmlu,
          .metrics = {{"acc"}},
          .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> mmlu_tasks() {
  std::vector<TaskInfo> all;
  for (const SubjectField& field : subject_fields()) {
    for (const std::string_view subject : field.subjects) {
      all.push_back(mmlu(subject));
    }
  }
  all.push_back({.name = "leaderboard_mmlu_pro",
                 .summary = "harder questions with up to ten options",
                 .version = "0.1",
                 .data = {.dataset = "TIGER-Lab/MMLU-Pro",
                          .split = "test",
                          .example_split = "validation",
                          .columns = {"question_id", "question", "options", "answer",
                                      "answer_index", "cot_content", "category", "src"}},
                 .examples = 5,
                 .first_examples = true,
                 .ask = ask_mmlu_pro,
                 .metrics = {{"acc"}},
                 .judge = judge_choices});
  return all;
}

std::vector<GroupInfo> mmlu_groups() {
  GroupInfo all{.name = "mmlu",
                .summary = "all 57 subjects",
                .version = "2",
                .members = {},
                .metrics = {"acc"}};
  std::vector<GroupInfo> groups;
  for (const SubjectField& field : subject_fields()) {
    GroupInfo group{.name = "mmlu_" + std::string(field.name),
                    .summary = "the subjects of this field",
                    .version = "2",
                    .members = {},
                    .metrics = {"acc"}};
    for (const std::string_view subject : field.subjects) {
      group.members.push_back("mmlu_" + std::string(subject));
    }
    all.members.push_back(group.name);
    groups.push_back(std::move(group));
  }
  groups.push_back(std::move(all));
  return groups;
}

}  // namespace lmpo
