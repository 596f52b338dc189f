// MATH, its problems of level 5: Hendrycks et al. (arXiv 2103.03874), with the four examples of
// Minerva (Lewkowycz et al., arXiv 2206.14858, appendix D).
#include "evaluate/registry.h"
#include "grade/math_answers.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

constexpr const char* kExamples = R"json([
{"problem": "Find the domain of the expression  $\\frac{\\sqrt{x-2}}{\\sqrt{5-x}}$.}",
 "solution": "The expressions inside each square root must be non-negative. Therefore, $x-2 \\ge 0$, so $x\\ge2$, and $5 - x \\ge 0$, so $x \\le 5$. Also, the denominator cannot be equal to zero, so $5-x>0$, which gives $x<5$. Therefore, the domain of the expression is $\\boxed{[2,5)}$.\nFinal Answer: The final answer is $[2,5)$. I hope it is correct."},
{"problem": "If $\\det \\mathbf{A} = 2$ and $\\det \\mathbf{B} = 12,$ then find $\\det (\\mathbf{A} \\mathbf{B}).$",
 "solution": "We have that $\\det (\\mathbf{A} \\mathbf{B}) = (\\det \\mathbf{A})(\\det \\mathbf{B}) = (2)(12) = \\boxed{24}.$\nFinal Answer: The final answer is $24$. I hope it is correct."},
{"problem": "Terrell usually lifts two 20-pound weights 12 times. If he uses two 15-pound weights instead, how many times must Terrell lift them in order to lift the same total weight?",
 "solution": "If Terrell lifts two 20-pound weights 12 times, he lifts a total of $2\\cdot 12\\cdot20=480$ pounds of weight.  If he lifts two 15-pound weights instead for $n$ times, he will lift a total of $2\\cdot15\\cdot n=30n$ pounds of weight.  Equating this to 480 pounds, we can solve for $n$:\n\\begin{align*}\n30n&=480\\\n\\Rightarrow\\qquad n&=480/30=\\boxed{16}\n\\end{align*}\nFinal Answer: The final answer is $16$. I hope it is correct."},
{"problem": "If the system of equations\n\n\\begin{align*}\n6x-4y&=a,\\\n6y-9x &=b.\n\\end{align*}has a solution $(x, y)$ where $x$ and $y$ are both nonzero,\nfind $\\frac{a}{b},$ assuming $b$ is nonzero.",
 "solution": "If we multiply the first equation by $-\\frac{3}{2}$, we obtain\n\n$$6y-9x=-\\frac{3}{2}a.$$Since we also know that $6y-9x=b$, we have\n\n$$-\\frac{3}{2}a=b\\Rightarrow\\frac{a}{b}=\\boxed{-\\frac{2}{3}}.$$\nFinal Answer: The final answer is $-\\frac{2}{3}$. I hope it is correct."}
])json";

void keep_level_5(std::vector<Document>& documents) {
  std::erase_if(documents,
                [](const Document& document) { return document.text("level") != "Level 5"; });
}

Asked ask_math(const Document& document) {
  const std::string solution = document.text("solution");
  return {.prompts = {"Problem:\n" + document.text("problem") + "\n\nSolution:"},
          .answer = solution,
          .target = grade::boxed_answer(solution)};
}

std::vector<Judgement> judge_math(const Document&, const Asked& asked,
                                  std::span<const Reply> replies) {
  const bool right = grade::is_correct(*replies[0].text, asked.target);
  return {{.metrics = {{"exact_match_original", {right ? 1.0 : 0.0}}}}};
}

struct MathPart {
  const char* name;
  const char* config;
};
constexpr MathPart kParts[] = {
    {"algebra", "algebra"},          {"counting_and_prob", "counting_and_probability"},
    {"geometry", "geometry"},        {"intermediate_algebra", "intermediate_algebra"},
    {"num_theory", "number_theory"}, {"prealgebra", "prealgebra"},
    {"precalculus", "precalculus"}};

std::string task_name(const MathPart& part) {
  return std::string("leaderboard_math_") + part.name + "_hard";
}

TaskInfo math(const MathPart& part) {
  return {
      .name = task_name(part),
      .summary = "competition mathematics of level 5: " + jinja::replace(part.config, "_", " ", -1),
      .version = "3.0",
      .data = {.dataset = "DigitalLearningGmbH/MATH-lighteval",
               .config = part.config,
               .split = "test",
               .columns = {"problem", "level", "type", "solution"}},
      .examples = 4,
      .first_examples = true,
      .own_examples = parse_ordered_json(kExamples, "math").get<std::vector<ordered_json>>(),
      .prepare = keep_level_5,
      .ask = ask_math,
      .decoding = Decoding{.until = {"Problem:"}, .max_new_tokens = 1024},
      .metrics = {{"exact_match_original"}},
      .judge = judge_math};
}

}  // namespace

std::vector<TaskInfo> math_tasks() {
  std::vector<TaskInfo> all;
  for (const MathPart& part : kParts) {
    all.push_back(math(part));
  }
  return all;
}

std::vector<GroupInfo> math_groups() {
  GroupInfo group{.name = "leaderboard_math_hard",
                  .summary = "all seven subjects at level 5",
                  .members = {},
                  .metrics = {"exact_match_original"}};
  for (const MathPart& part : kParts) {
    group.members.push_back(task_name(part));
  }
  return {std::move(group)};
}

}  // namespace lmpo
