// What the Hugging Face Hub reads of a model: the YAML at the head of its README.md.
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
  std::string license;  // "": unknown
  std::string license_name;
  std::string license_link;
};

// YAML between two lines of dashes. Texts may contain anything: YAML reads them back unchanged.
std::string front_matter_text(const FrontMatter& matter);

// Copies the licence from the card of the model in a folder, if the card has one that can be read.
void take_license(FrontMatter& matter, const fs::path& model);

// "owner/name" of a folder in the Hub's cache (KIND--owner--name/snapshots/..., kind "models" or
// "datasets"), or of a path that is such a name and no file here; otherwise "".
std::string hub_name(const fs::path& path, std::string_view kind);

}  // namespace lmpo
