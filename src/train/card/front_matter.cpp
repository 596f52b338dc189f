#include "train/card/front_matter.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <stdexcept>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "data/dataset_folder.h"

namespace lmpo {
namespace {

// What the Hub allows in both halves of a name.
bool is_hub_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && std::ranges::all_of(part, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string checked_name(std::string_view owner, std::string_view name) {
  return is_hub_part(owner) && is_hub_part(name) ? fmt::format("{}/{}", owner, name) : "";
}

// In double quotes, which YAML reads as JSON does. Characters that YAML forbids are escaped.
std::string yaml_text(const std::string& text) {
  return json(printable(text, LineEnds::escape)).dump();
}

std::string line(const char* key, const std::string& value) {
  return value.empty() ? "" : fmt::format("{}: {}\n", key, yaml_text(value));
}

std::string list(const char* key, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += fmt::format("- {}\n", yaml_text(value));
  }
  return values.empty() ? "" : fmt::format("{}:\n{}", key, text);
}

}  // namespace

std::string front_matter_text(const FrontMatter& matter) {
  return "---\nlibrary_name: transformers\npipeline_tag: text-generation\n" +
         line("license", matter.license) + line("license_name", matter.license_name) +
         line("license_link", matter.license_link) + list("base_model", matter.base_models) +
         line("base_model_relation", matter.base_model_relation) +
         list("datasets", matter.datasets) + list("tags", matter.tags) + "---\n";
}

void take_license(FrontMatter& matter, const fs::path& model) {
  const fs::path card = model / "README.md";
  try {
    const YAML::Node root = YAML::Load(front_matter(card));
    const auto value = [&](const char* key) {
      return root.IsMap() && root[key] && root[key].IsScalar() ? root[key].Scalar() : "";
    };
    matter.license = value("license");
    matter.license_name = value("license_name");
    matter.license_link = value("license_link");
  } catch (const std::runtime_error& error) {  // a card is no reason to fail
    log_info("{}: cannot read its licence: {}", card.string(), error.what());
  }
}

std::string hub_name(const fs::path& path, std::string_view kind) {
  const std::string prefix = fmt::format("{}--", kind);
  for (const fs::path& part : path) {
    const std::string text = part.string();
    const std::size_t separator = text.find("--", prefix.size());
    if (text.starts_with(prefix) && separator != std::string::npos) {
      return checked_name(std::string_view(text).substr(prefix.size(), separator - prefix.size()),
                          std::string_view(text).substr(separator + 2));
    }
  }
  const std::string text = path.string();
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || fs::exists(path)) {
    return "";
  }
  return checked_name(std::string_view(text).substr(0, slash),
                      std::string_view(text).substr(slash + 1));
}

}  // namespace lmpo
