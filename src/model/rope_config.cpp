#include "model/rope_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lmpo {
namespace {

using Kind = Rope::Kind;

constexpr const char* kOriginal = "original_max_position_embeddings";
constexpr const char* kPartial = "partial_rotary_factor";
constexpr std::array kLayerTypes = {"full_attention", "sliding_attention"};
constexpr std::array kKinds = {
    std::pair{"default", Kind::plain},     std::pair{"linear", Kind::linear},
    std::pair{"dynamic", Kind::dynamic},   std::pair{"yarn", Kind::yarn},
    std::pair{"longrope", Kind::longrope}, std::pair{"llama3", Kind::llama3}};

// One table's settings: the object that holds them, and config.json around it.
struct Settings {
  ConfigReader rope;
  const ConfigReader& outer;
  const RopeRules& rules;
  const ModelConfig& config;
};

Kind read_kind(const Settings& settings) {
  const ConfigReader& rope = settings.rope;
  const char* key = rope.has("rope_type") ? "rope_type" : "type";
  const auto name = rope.has(key) ? rope.value<std::string>(key, "") : std::string(kKinds[0].first);
  if (settings.rules.longrope_only && (name == "su" || name == "yarn")) {
    return Kind::longrope;
  }
  const auto* const found =
      std::ranges::find_if(kKinds, [&](const auto& known) { return name == known.first; });
  if (found == kKinds.end()) {
    rope.wrong(key,
               "'{}' is not supported; default, linear, dynamic, yarn, longrope and llama3 are",
               name);
  }
  if (settings.rules.longrope_only && found->second != Kind::plain &&
      found->second != Kind::longrope) {
    rope.wrong(key, "'{}' is not supported in this family; default and longrope are", name);
  }
  return found->second;
}

std::int64_t read_columns(const Settings& settings) {
  const std::int64_t all = settings.config.head_size;
  const ConfigReader& from = settings.rope.has(kPartial) ? settings.rope : settings.outer;
  const double part = from.has(kPartial) ? from.value<double>(kPartial, 1) : 1;
  if (part == 1) {
    return all;
  }
  if (!settings.rules.turns_in_part) {
    from.wrong(kPartial, "other than 1 is not supported in this family: its heads turn whole");
  }
  if (!(part > 0 && part <= 1)) {
    from.wrong(kPartial, "must be between 0 and 1, not {}", part);
  }
  const auto columns = static_cast<std::int64_t>(static_cast<double>(all) * part);
  if (columns < 2 || columns % 2 != 0) {
    from.wrong(kPartial, "{} of {} columns turn; an even number is needed", columns, all);
  }
  return columns;
}

std::int64_t read_original(const Settings& settings) {
  const RopeRules& rules = settings.rules;
  if (rules.original_positions && settings.outer.absent(kOriginal)) {
    return *rules.original_positions;
  }
  // transformers lets the number beside the others win over the nested one.
  const bool outer = !rules.by_layer_type && settings.outer.has(kOriginal);
  return (outer ? settings.outer : settings.rope)
      .size(kOriginal, settings.config.max_positions, kLongestContext);
}

// What the context was stretched by, as transformers takes it from the two lengths.
double length_ratio(const Settings& settings, const Rope& rope) {
  return static_cast<double>(settings.config.max_positions) /
         static_cast<double>(rope.original_positions);
}

double read_optional(const ConfigReader& reader, const char* key, double fallback) {
  return reader.has(key) && reader.value<double>(key, 0) != 0 ? reader.positive(key, 0) : fallback;
}

void read_yarn(const Settings& settings, Rope& rope) {
  const ConfigReader& reader = settings.rope;
  const bool is_null = !reader.absent("factor") && !reader.has("factor");
  rope.factor = is_null ? length_ratio(settings, rope) : reader.required_positive("factor");
  rope.beta_fast = read_optional(reader, "beta_fast", 32);
  rope.beta_slow = read_optional(reader, "beta_slow", 1);
  // transformers looks for this one beside the objects of the layer types, where nobody puts it.
  rope.truncate = settings.rules.by_layer_type || !reader.has("truncate") ||
                  reader.value<bool>("truncate", true);
  if (rope.theta == 1) {
    reader.wrong("rope_theta", "must not be 1 with yarn");
  }
  const auto attention = [&](double scale) {
    return rope.factor <= 1 ? 1.0 : 0.1 * scale * std::log(rope.factor) + 1.0;
  };
  const double scale = read_optional(reader, "mscale", 0);
  const double scale_all = read_optional(reader, "mscale_all_dim", 0);
  const bool both = scale != 0 && scale_all != 0;
  rope.table_factor = reader.has("attention_factor") ? reader.positive("attention_factor", 1)
                      : both                         ? attention(scale) / attention(scale_all)
                                                     : attention(1);
}

std::vector<double> read_factors(const ConfigReader& reader, const char* key, std::int64_t count) {
  const json* list = reader.has(key) ? &reader.at(key) : nullptr;
  if (list == nullptr || !list->is_array() || std::ssize(*list) != count) {
    reader.wrong(key, "a list of {} numbers was expected, one for each pair of columns", count);
  }
  std::vector<double> factors;
  for (const json& item : *list) {
    const json holder = {{key, item}};
    factors.push_back(ConfigReader(holder, reader.source()).required_positive(key));
  }
  return factors;
}

void read_longrope(const Settings& settings, Rope& rope) {
  const ConfigReader& reader = settings.rope;
  rope.short_factors = read_factors(reader, "short_factor", rope.columns / 2);
  rope.long_factors = read_factors(reader, "long_factor", rope.columns / 2);
  const double stretch =
      reader.has("factor") ? reader.positive("factor", 1) : length_ratio(settings, rope);
  if (rope.original_positions < 2) {
    reader.wrong(kOriginal, "must be at least 2 with longrope");
  }
  const auto original = static_cast<double>(rope.original_positions);
  const double usual = stretch <= 1 ? 1.0 : std::sqrt(1 + std::log(stretch) / std::log(original));
  rope.table_factor =
      reader.has("attention_factor") ? reader.positive("attention_factor", 1) : usual;
}

void read_llama3(const ConfigReader& reader, Rope& rope) {
  rope.factor = reader.required_positive("factor");
  rope.low_frequency_factor = reader.required_positive("low_freq_factor");
  rope.high_frequency_factor = reader.required_positive("high_freq_factor");
  if (rope.high_frequency_factor <= rope.low_frequency_factor) {
    reader.wrong("high_freq_factor", "must be greater than low_freq_factor");
  }
}

void require_finite(const ConfigReader& reader, const Rope& rope) {
  for (const bool is_long : {false, true}) {
    const RotaryFrequencies frequencies = rotary_frequencies(rope, is_long);
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::ranges::all_of(frequencies.inverse, finite) || !finite(frequencies.factor)) {
      reader.wrong("rope_theta", "{} gives rotary frequencies that are not finite", rope.theta);
    }
  }
}

Rope read_table(const Settings& settings, double theta) {
  const ConfigReader& reader = settings.rope;
  Rope rope = {.kind = read_kind(settings), .theta = theta, .columns = read_columns(settings)};
  if (reader.has("rope_theta")) {
    rope.theta = reader.positive("rope_theta", 0);
  }
  if (rope.kind == Kind::linear || rope.kind == Kind::dynamic) {
    rope.factor = reader.required_positive("factor");
  }
  if (rope.kind == Kind::dynamic) {
    rope.original_positions = settings.config.max_positions;
    if (rope.columns < 4) {
      reader.wrong("rope_type", "'dynamic' needs heads of more than 2 columns");
    }
  } else if (rope.kind == Kind::yarn || rope.kind == Kind::longrope || rope.kind == Kind::llama3) {
    rope.original_positions = read_original(settings);
  }
  if (rope.kind == Kind::yarn) {
    read_yarn(settings, rope);
  } else if (rope.kind == Kind::longrope) {
    read_longrope(settings, rope);
  } else if (rope.kind == Kind::llama3) {
    read_llama3(reader, rope);
  }
  require_finite(reader, rope);
  return rope;
}

// An object, or an empty one.
json object_of(const ConfigReader& reader, const char* key) {
  if (!reader.has(key)) {
    return json::object();
  }
  if (!reader.at(key).is_object()) {
    reader.wrong(key, "an object or null was expected");
  }
  return reader.at(key);
}

bool holds_objects(const json& object) {
  return std::ranges::any_of(object, [](const json& value) { return value.is_object(); });
}

// The objects of the two tables, in the order of kLayerTypes.
std::array<json, 2> two_tables(const ConfigReader& reader) {
  const json parameters = object_of(reader, "rope_parameters");
  if (!parameters.empty() && !holds_objects(parameters)) {
    reader.wrong("rope_parameters", "an object for each layer type was expected: {} and {}",
                 kLayerTypes[0], kLayerTypes[1]);
  }
  const ConfigReader nested(parameters, reader.source());
  std::array tables = {object_of(nested, kLayerTypes[0]), object_of(nested, kLayerTypes[1])};
  tables[0].update(object_of(reader, "rope_scaling"));
  return tables;
}

// What transformers 5 has in rope_parameters.
ordered_json table_json(const Rope& rope, bool with_theta) {
  const auto* const kind =
      std::ranges::find_if(kKinds, [&](const auto& known) { return rope.kind == known.second; });
  ordered_json table = {{"rope_type", kind->first}};
  if (rope.kind != Kind::plain && rope.kind != Kind::longrope) {
    table["factor"] = rope.factor;
  }
  if (rope.kind == Kind::llama3) {
    table["low_freq_factor"] = rope.low_frequency_factor;
    table["high_freq_factor"] = rope.high_frequency_factor;
  } else if (rope.kind == Kind::longrope) {
    table["short_factor"] = rope.short_factors;
    table["long_factor"] = rope.long_factors;
  } else if (rope.kind == Kind::yarn) {
    table["beta_fast"] = rope.beta_fast;
    table["beta_slow"] = rope.beta_slow;
    put_unless_default(table, "truncate", rope.truncate, true);
  }
  if (rope.kind == Kind::yarn || rope.kind == Kind::longrope) {
    table["attention_factor"] = rope.table_factor;
  }
  if (rope.kind != Kind::plain && rope.kind != Kind::linear && rope.kind != Kind::dynamic) {
    table[kOriginal] = rope.original_positions;
  }
  if (with_theta) {
    table["rope_theta"] = rope.theta;
  }
  return table;
}

// Whether an object's keys give the configuration's tables.
bool says(const ordered_json& object, const RopeRules& rules, const ModelConfig& config) {
  const json content(object);
  return read_ropes(ConfigReader(content, "config"), rules, config) == config.ropes;
}

// The part of a head that turns, such that the product with its size is not cut to one less.
double partial_factor(const Rope& rope, std::int64_t head_size) {
  const auto size = static_cast<double>(head_size);
  const double part = static_cast<double>(rope.columns) / size;
  return size * part < static_cast<double>(rope.columns) ? std::nextafter(part, 1.0) : part;
}

// A nested number wins where there are both, but not for those who read this one alone.
void put_number(ordered_json& object, const char* key, double value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number() || found->get<double>() != value) {
    object[key] = value;
  }
}

// The spelling of transformers 4.
void put_scaling(ordered_json& object, const RopeRules& rules, const Rope& rope) {
  if (rope.kind == Kind::plain || !object.value("rope_scaling", ordered_json()).empty()) {
    return;
  }
  const ordered_json parameters = object.value("rope_parameters", ordered_json::object());
  const bool copies = !rules.by_layer_type && !parameters.empty();
  ordered_json scaling = copies ? parameters : table_json(rope, false);
  scaling.erase("rope_theta");
  scaling.erase(kPartial);
  object["rope_scaling"] = scaling;
}

}  // namespace

json rope_table(const ConfigReader& reader, const RopeRules& rules) {
  json table = json::parse(rules.parameters);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {  // transformers: the latter wins
    const json found = object_of(reader, key);
    if (holds_objects(found)) {
      reader.wrong(key, "parameters by layer type are not supported in this family");
    }
    table = found.empty() ? table : found;
  }
  return table;
}

std::vector<Rope> read_ropes(const ConfigReader& reader, const RopeRules& rules,
                             const ModelConfig& config) {
  const std::string where = fmt::format("{}: rope parameters", reader.source());
  const double theta = reader.has("rope_theta") ? reader.positive("rope_theta", 0) : rules.theta;
  if (!rules.by_layer_type) {
    const json table = rope_table(reader, rules);
    return {read_table({ConfigReader(table, where), reader, rules, config}, theta)};
  }
  const std::array<json, 2> tables = two_tables(reader);
  const char* window_key = rules.window_theta_key;
  const double window_theta = window_key != nullptr && reader.has(window_key)
                                  ? reader.positive(window_key, 0)
                                  : rules.window_theta;
  return {read_table({ConfigReader(tables[0], where), reader, rules, config}, theta),
          read_table({ConfigReader(tables[1], where), reader, rules, config}, window_theta)};
}

void check_longest_sequence(const ModelConfig& config, std::int64_t tokens) {
  for (const Rope& rope : config.ropes) {
    if (rope.kind == Kind::dynamic && tokens > rope.original_positions) {
      user_error(
          "the longest sequence has {} tokens, but the model's rotary embedding (rope_type: "
          "dynamic) is defined for {}: what it computes of longer ones depends on the batch. Set "
          "max_length to {} or less",
          tokens, rope.original_positions, rope.original_positions);
    }
  }
}

void put_ropes(ordered_json& object, const RopeRules& rules, const ModelConfig& config) {
  const Rope& rope = config.ropes[0];
  if (!says(object, rules, config)) {
    for (const char* key : {"rope_parameters", "rope_scaling", "rope_theta", kOriginal, kPartial}) {
      object.erase(key);
    }
    if (rules.by_layer_type) {
      for (std::size_t i = 0; i < kLayerTypes.size(); ++i) {
        object["rope_parameters"][kLayerTypes[i]] = table_json(config.ropes[i], true);
      }
    }
  }
  put_number(object, "rope_theta", rope.theta);
  if (rules.window_theta_key != nullptr) {
    put_number(object, rules.window_theta_key, config.ropes[1].theta);
  }
  if (rope.columns != config.head_size && !object.contains(kPartial)) {
    const ordered_json parameters = object.value("rope_parameters", ordered_json::object());
    object[kPartial] = parameters.value(kPartial, partial_factor(rope, config.head_size));
  }
  if (rules.original_positions && rope.kind == Kind::longrope) {
    put(object, kOriginal, rope.original_positions);
  }
  put_scaling(object, rules, rope);
}

}  // namespace lmpo
