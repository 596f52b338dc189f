#include "model/rope_config.h"

namespace lmpo {
namespace {

void refuse_partial_rotation(const ConfigReader& reader) {
  if (reader.has("partial_rotary_factor") &&
      reader.value<double>("partial_rotary_factor", 1) != 1) {
    reader.wrong("partial_rotary_factor", "other than 1 is not supported");
  }
}

RopeScaling read_scaling(const ConfigReader& rope, const ConfigReader& reader,
                         std::int64_t max_positions) {
  RopeScaling scaling;
  const char* type_key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string type =
      rope.has(type_key) ? rope.value<std::string>(type_key, "") : std::string("default");
  if (type == "default") {
    return scaling;
  }
  if (type != "linear" && type != "llama3") {
    rope.wrong(type_key, "'{}' is not supported; default, linear and llama3 are", type);
  }
  scaling.factor = rope.required_positive("factor");
  if (type == "linear") {
    scaling.kind = RopeScaling::Kind::linear;
    return scaling;
  }
  scaling.kind = RopeScaling::Kind::llama3;
  scaling.low_frequency_factor = rope.required_positive("low_freq_factor");
  scaling.high_frequency_factor = rope.required_positive("high_freq_factor");
  if (scaling.high_frequency_factor <= scaling.low_frequency_factor) {
    rope.wrong("high_freq_factor", "must be greater than low_freq_factor");
  }
  // transformers lets the number beside the others win over the nested one.
  constexpr const char* original = "original_max_position_embeddings";
  scaling.original_positions = reader.has(original)
                                   ? reader.size(original, 0, kLongestContext)
                                   : rope.size(original, max_positions, kLongestContext);
  return scaling;
}

}  // namespace

RopeConfig read_rope(const json& object, std::string_view source, std::int64_t max_positions) {
  const ConfigReader reader(object, source);
  refuse_partial_rotation(reader);
  json nested = json::object();
  for (const char* key : {"rope_parameters", "rope_scaling"}) {  // transformers: the latter wins
    if (!reader.has(key)) {
      continue;
    }
    const json& found = reader.at(key);
    if (!found.is_object()) {
      reader.wrong(key, "an object or null was expected");
    }
    for (const auto& [name, value] : found.items()) {
      if (value.is_object()) {
        reader.wrong(key, "parameters by layer type ('{}') are not supported", name);
      }
    }
    nested = found.empty() ? nested : found;
  }
  const std::string where = fmt::format("{}: rope parameters", source);
  const ConfigReader rope(nested, where);
  refuse_partial_rotation(rope);
  RopeConfig result;
  result.theta = rope.has("rope_theta") ? rope.positive("rope_theta", 0)
                                        : reader.positive("rope_theta", result.theta);
  result.scaling = read_scaling(rope, reader, max_positions);
  return result;
}

void put_rope(ordered_json& object, const RopeConfig& rope, std::int64_t max_positions) {
  if (read_rope(json(object), "config", max_positions) != rope) {
    for (const char* key :
         {"rope_parameters", "rope_scaling", "rope_theta", "original_max_position_embeddings"}) {
      object.erase(key);
    }
  }
  // A nested one wins where there are both, but not for those who read this one alone.
  const auto theta = object.find("rope_theta");
  if (theta == object.end() || !theta->is_number() || theta->get<double>() != rope.theta) {
    object["rope_theta"] = rope.theta;
  }
  const bool has_scaling = !object.value("rope_scaling", ordered_json()).empty();
  if (rope.scaling.kind == RopeScaling::Kind::none || has_scaling) {
    return;
  }
  ordered_json scaling = {{"rope_type", "linear"}, {"factor", rope.scaling.factor}};
  if (rope.scaling.kind == RopeScaling::Kind::llama3) {
    scaling["rope_type"] = "llama3";
    scaling["low_freq_factor"] = rope.scaling.low_frequency_factor;
    scaling["high_freq_factor"] = rope.scaling.high_frequency_factor;
    scaling["original_max_position_embeddings"] = rope.scaling.original_positions;
  }
  object["rope_scaling"] = scaling;
}

}  // namespace lmpo
