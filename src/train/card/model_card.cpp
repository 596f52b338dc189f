#include "train/card/model_card.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/folder_name.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "objective/registry.h"
#include "text/chat_template.h"
#include "train/card/front_matter.h"
#include "train/card/markdown_text.h"
#include "train/card/run_sections.h"

namespace lmpo {
namespace {

std::string title_of(const fs::path& folder) {
  return fmt::format("\n# {}\n\n", escape_markdown(folder_name(folder)));
}

// A model by its name on the Hub, or by its folder.
std::string shown_model(const fs::path& model) {
  const std::string name = hub_name(model, "models");
  return name.empty() ? code_span(model.string())
                      : fmt::format("[{}](https://huggingface.co/{})", escape_markdown(name), name);
}

bool has_chat_template(const fs::path& folder) {
  try {
    return ChatTemplate::load(folder).has_value();
  } catch (const UserError&) {
    return false;  // one that only others can read is no matter of a card
  }
}

// Code that runs in the folder as it is.
std::string loading(const fs::path& folder) {
  const bool chat = has_chat_template(folder);
  const std::string inputs =
      chat ? "messages = [{\"role\": \"user\", \"content\": \"Why is the sky blue?\"}]\n"
             "inputs = tokenizer.apply_chat_template(\n"
             "    messages, add_generation_prompt=True, return_dict=True, return_tensors=\"pt\")\n"
           : "inputs = tokenizer(\"Why is the sky blue?\", return_tensors=\"pt\")\n";
  return "\n## How to use it\n\nWith transformers:\n\n" +
         code_block("python",
                    "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
                    "folder = \".\"  # this folder, or the model's name on the Hub\n"
                    "tokenizer = AutoTokenizer.from_pretrained(folder)\n"
                    "model = AutoModelForCausalLM.from_pretrained(folder)\n\n" +
                        inputs +
                        "output = model.generate(inputs[\"input_ids\"], "
                        "attention_mask=inputs[\"attention_mask\"], max_new_tokens=200)\n"
                        "answer = output[0, inputs[\"input_ids\"].shape[1]:]\n"
                        "print(tokenizer.decode(answer, skip_special_tokens=True))\n") +
         "\nWith lmpo, in this folder:\n\n" +
         code_block("sh", "lmpo generate --model . --prompt \"Why is the sky blue?\"\n" +
                              std::string(chat ? "lmpo chat --model .\n" : "") +
                              "lmpo export . --format gguf --type q8_0 --output model.gguf    "
                              "# if llama.cpp knows its tokenizer\n");
}

std::string made_by(const std::string& version) {
  return fmt::format("\nMade by lmpo {}.\n", escape_markdown(version));
}

std::string citation(const ObjectiveInfo& objective) {
  if (!objective.paper) {
    return "";
  }
  return fmt::format("\n## Citation\n\nThe method is that of [{}]({}):\n\n",
                     escape_markdown(objective.paper->title), objective.paper->url()) +
         code_block("bibtex", objective.paper->bibtex());
}

constexpr std::string_view kFooterBegin = "\n<!-- lmpo wrote this card; checksum ";
constexpr std::string_view kFooterEnd =
    ". Once changed it is yours: lmpo writes README.lmpo.md beside it then. -->\n";

std::string with_footer(const std::string& card) {
  Hash hash;
  hash.add(card);
  return card + std::string(kFooterBegin) + hash.text() + std::string(kFooterEnd);
}

bool is_as_written(const std::string& text) {
  const std::size_t footer = text.rfind(kFooterBegin);
  return footer != std::string::npos && text == with_footer(text.substr(0, footer));
}

}  // namespace

std::string run_card(const fs::path& folder) {
  const json run = read_json(folder / "lmpo_run.json");
  const json state = read_json(folder / "trainer_state.json");
  const RunSettings settings(run, (folder / "lmpo_run.json").string());
  const ObjectiveInfo& objective = find_objective(settings.text("objective"));
  const fs::path model = settings.text("model_name_or_path");

  FrontMatter matter;
  if (const std::string name = hub_name(model, "models"); !name.empty()) {
    matter.base_models = {name};
    matter.base_model_relation = "finetune";
  }
  take_license(matter, model);
  matter.datasets = settings.hub_datasets();
  matter.tags = {"lmpo"};
  if (objective.name != "sft") {
    matter.tags.emplace_back("preference-optimization");
  }
  if (objective.name != "lmpo") {
    matter.tags.emplace_back(objective.name);
  }
  const std::string text =
      front_matter_text(matter) + title_of(folder) +
      fmt::format("{} trained by the objective {}: {}.\n", shown_model(model),
                  code_span(objective.name), escape_markdown(objective.summary)) +
      data_section(run, settings) + results_section(run, state) +
      (fs::exists(folder / "training_curves.svg") ? "\n![Training curves](training_curves.svg)\n"
                                                  : "") +
      loading(folder) + settings_section(settings) + citation(objective);
  return text + made_by(run.value("lmpo_version", ""));
}

std::string combined_card(const fs::path& folder, const CombinedModels& combined) {
  FrontMatter matter;
  matter.tags = {"lmpo"};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [model, weight] : combined.models) {
    if (const std::string name = hub_name(model, "models"); !name.empty()) {
      matter.base_models.push_back(name);
    }
    rows.push_back({shown_model(model), fmt::format("{:g}", weight)});
  }
  std::string what;
  if (rows.size() == 1) {
    what = fmt::format("The weights of {}, stored in another way.\n", rows[0][0]);
    take_license(matter, combined.models[0].first);
  } else {
    matter.tags.emplace_back("merge");
    matter.base_model_relation = matter.base_models.empty() ? "" : "merge";
    what =
        "The sum of these models' weights, each tensor times its model's weight. Configuration, "
        "tokenizer and template are the first's.\n\n" +
        markdown_table({"model", "weight"}, rows);
  }
  return front_matter_text(matter) + title_of(folder) + what + loading(folder) +
         made_by(combined.version);
}

std::string imported_card(const fs::path& folder, const ImportedCard& imported) {
  FrontMatter matter;
  matter.tags = {"lmpo", "gguf"};
  matter.license = imported.license;
  return front_matter_text(matter) + title_of(folder) +
         fmt::format(
             "{}, from the GGUF file {}, whose tensors were stored as: {}. Quantized weights "
             "have become plain numbers; what quantization had rounded stays rounded.\n",
             escape_markdown(imported.name), code_span(imported.file.filename().string()),
             escape_markdown(imported.types)) +
         loading(folder) + made_by(imported.version);
}

std::string random_card(const fs::path& folder, std::int64_t seed, const std::string& version) {
  FrontMatter matter;
  matter.tags = {"lmpo"};
  return front_matter_text(matter) + title_of(folder) +
         fmt::format("Random weights, drawn from seed {}: nothing was trained.\n", seed) +
         made_by(version);
}

void write_card(const fs::path& folder, const std::string& card) {
  const fs::path file = folder / kCardFile;
  if (!fs::exists(file) || is_as_written(read_file(file))) {
    write_file_atomically(file, with_footer(card));
    return;
  }
  const fs::path second = folder / kSecondCardFile;
  write_file_atomically(second, with_footer(card));
  log_info("{} was not written by lmpo, or changed since, and stays; the card is in {}",
           file.string(), second.string());
}

}  // namespace lmpo
