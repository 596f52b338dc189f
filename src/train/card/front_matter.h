// What the Hugging Face Hub knows of a model: the YAML at the head of its README.md.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

struct FrontMatter {
  std::vector<std::string> base_models;  // names on the Hub, "owner/name"
  std::string base_model_relation;       // "finetune", "merge", ...; "" says nothing
  std::vector<std::string> datasets;     // names on the Hub
  std::vector<std::string> tags;
  std::string license;  // "" for none: nobody has said it
  std::string license_name;
  std::string license_link;
};

// With its lines of dashes. Whatever the texts contain, YAML reads them as they are.
std::string front_matter_text(const FrontMatter& matter);

// Takes the licence from the card of the model in a folder, where that has one that can be read.
void take_license(FrontMatter& matter, const fs::path& model);

// "owner/name" of what lies in the Hub's cache (KIND--owner--name/snapshots/..., kind "models" or
// "datasets"), or of a path that is such a name and no file here; "" for all else.
std::string hub_name(const fs::path& path, std::string_view kind);

}  // namespace lmpo
