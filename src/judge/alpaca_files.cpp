#include "judge/alpaca_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/readable.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

// The columns of a leaderboard, in alpaca_eval's order.
const std::vector<std::string> kLeaderboardColumns = {"win_rate",
                                                      "standard_error",
                                                      "mode",
                                                      "avg_length",
                                                      "n_wins",
                                                      "n_wins_base",
                                                      "n_draws",
                                                      "n_total",
                                                      "discrete_win_rate",
                                                      "length_controlled_winrate",
                                                      "lc_standard_error"};
constexpr const char* kMode = "community";  // what alpaca_eval calls models of its users

// The start of an instruction, in quotes, on one line.
std::string shown_start(std::string_view text) {
  constexpr std::size_t most = 60;
  std::size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (text[end] & 0xC0) == 0x80) {
    --end;
  }
  return fmt::format("'{}{}'", printable(text.substr(0, end), LineEnds::escape),
                     end < text.size() ? "..." : "");
}

std::string shown_some(const std::vector<std::string>& instructions) {
  constexpr std::size_t most = 3;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(most, instructions.size()); ++i) {
    shown.push_back(shown_start(instructions[i]));
  }
  return fmt::format("{}{}", fmt::join(shown, ", "), instructions.size() > most ? ", ..." : "");
}

void require_one_name(const std::string& first, const SourceRow& row, std::string_view key) {
  if (const std::string name = text_or_empty(row, key); name != first) {
    user_error(
        "{}: key '{}': the rows before say '{}', this one '{}'; give one model's rows at a time",
        row.location, key, first, name);
  }
}

double preference_of(const SourceRow& row) {
  const double preference = number_or_nan(row, "preference");
  const bool is_missing = std::isnan(preference) || preference == -1;  // alpaca_eval writes either
  if (!is_missing && preference != 0 && !(1 <= preference && preference <= 2)) {
    user_error(
        "{}: key 'preference': a number from 1 (the baseline is better) to 2 was expected, not {}",
        row.location, preference);
  }
  return is_missing ? std::numeric_limits<double>::quiet_NaN() : preference;
}

// A finite number of a table; UserError where it is missing.
double number_in(const CsvTable& table, std::size_t row, std::size_t column) {
  const double value = table.number(row, column);
  if (std::isnan(value)) {
    user_error("{}: row {}, column '{}': the number is missing", table.source, row,
               table.names[column]);
  }
  return value;
}

// Difficulties by index: the first row of each counts.
std::vector<double> difficulties_by_index(const CsvTable& table, std::size_t index,
                                          std::size_t difficulty) {
  std::map<double, double> by_index;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    by_index.emplace(number_in(table, row, index), number_in(table, row, difficulty));
  }
  std::vector<double> difficulties;
  for (const auto& [place, value] : by_index) {
    if (place != static_cast<double>(difficulties.size())) {
      user_error("{}: column '{}': {} was expected after {}, and there is none", table.source,
                 table.names[index], difficulties.size(), std::ssize(difficulties) - 1);
    }
    difficulties.push_back(value);
  }
  return difficulties;
}

void write_json_rows(const fs::path& file, const ordered_json& rows) {
  write_file_atomically(file,
                        rows.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

std::string count_text(std::int64_t count) {
  return fmt::format("{}", count);
}

// What a leaderboard is sorted by; none comes last.
double sorting_rate(const LeaderboardRow& row, const std::string& column) {
  const auto found = row.find(column);
  const std::string text = found == row.end() ? "" : found->second;
  return text.empty() ? -1 : std::strtod(text.c_str(), nullptr);
}

}  // namespace

std::vector<AlpacaOutput> read_alpaca_outputs(const fs::path& file) {
  std::vector<AlpacaOutput> outputs;
  std::map<std::string, std::string> locations;
  for (const SourceRow& row : rows_of(file, "rows with instruction and output")) {
    outputs.push_back({text_of_row(row, "instruction"), text_of_row(row, "output"),
                       text_or_empty(row, "generator"), text_or_empty(row, "dataset")});
    require_one_name(outputs.front().generator, row, "generator");
    const auto [first, is_new] = locations.emplace(outputs.back().instruction, row.location);
    if (!is_new) {
      user_error("{}: has the same instruction as {}", row.location, first->second);
    }
  }
  return outputs;
}

std::vector<AlpacaOutput> in_order_of(std::span<const AlpacaOutput> reference,
                                      std::vector<AlpacaOutput> outputs, std::string_view source) {
  std::map<std::string_view, AlpacaOutput*> by_instruction;
  for (AlpacaOutput& output : outputs) {
    by_instruction[output.instruction] = &output;
  }
  std::vector<AlpacaOutput*> ordered;
  std::vector<std::string> missing;
  for (const AlpacaOutput& wanted : reference) {
    const auto found = by_instruction.find(wanted.instruction);
    if (found == by_instruction.end()) {
      missing.push_back(wanted.instruction);
    } else {
      ordered.push_back(found->second);
      by_instruction.erase(found);
    }
  }
  std::vector<std::string> unknown;
  for (const auto& [instruction, output] : by_instruction) {
    unknown.emplace_back(instruction);
  }
  if (!missing.empty() || !unknown.empty()) {
    user_error(
        "{}: its {} do not match the {} of the evaluation set: {} of the set have no output{}{}, "
        "{} are not in the set{}{}",
        source, counted(std::ssize(outputs), "instruction"), reference.size(), missing.size(),
        missing.empty() ? "" : ": ", shown_some(missing), unknown.size(),
        unknown.empty() ? "" : ": ", shown_some(unknown));
  }
  std::vector<AlpacaOutput> result;
  for (AlpacaOutput* output : ordered) {
    result.push_back(std::move(*output));
  }
  return result;
}

void write_alpaca_outputs(const fs::path& file, std::span<const AlpacaOutput> outputs) {
  ordered_json rows = ordered_json::array();
  for (const AlpacaOutput& each : outputs) {
    rows.push_back({{"dataset", each.dataset},
                    {"instruction", each.instruction},
                    {"output", each.output},
                    {"generator", each.generator}});
  }
  write_json_rows(file, rows);
}

std::int64_t average_length(std::span<const std::string> outputs) {
  std::int64_t sum = 0;
  for (const std::string& output : outputs) {
    sum += code_points(output);
  }
  return outputs.empty() ? 0 : sum / std::ssize(outputs);
}

std::vector<double> Annotations::preferences() const {
  std::vector<double> values;
  for (const Annotation& row : rows) {
    values.push_back(row.preference);
  }
  return values;
}

std::vector<std::string> Annotations::outputs(std::string_view key) const {
  std::vector<std::string> texts;
  for (const Annotation& row : rows) {
    texts.push_back(row.row.at(std::string(key)).get<std::string>());
  }
  return texts;
}

Annotations read_annotations(const fs::path& file) {
  Annotations annotations;
  std::vector<SourceRow> rows = rows_of(file, "rows with output_1, output_2 and preference");
  annotations.model = text_or_empty(rows.front(), "generator_2");
  annotations.baseline = text_or_empty(rows.front(), "generator_1");
  annotations.annotator = text_or_empty(rows.front(), "annotator");
  for (SourceRow& row : rows) {
    for (const char* key : {"instruction", "output_1", "output_2"}) {
      text_of_row(row, key);
    }
    require_one_name(annotations.model, row, "generator_2");
    require_one_name(annotations.baseline, row, "generator_1");
    annotations.rows.push_back({preference_of(row), std::move(row.value)});
  }
  return annotations;
}

void check_outputs(const Annotations& annotations, const fs::path& file) {
  std::vector<AlpacaOutput> judged;
  for (const Annotation& row : annotations.rows) {
    judged.push_back({.instruction = row.row.at("instruction").get<std::string>(),
                      .output = row.row.at("output_2").get<std::string>()});
  }
  const std::vector<AlpacaOutput> outputs =
      in_order_of(judged, read_alpaca_outputs(file), file.string());
  for (std::size_t i = 0; i < judged.size(); ++i) {
    if (outputs[i].output != judged[i].output) {
      user_error(
          "{}: its output to {} is not the one that was judged: the annotations are of other "
          "outputs",
          file.string(), shown_start(judged[i].instruction));
    }
  }
}

void write_annotations(const fs::path& file, const Annotations& annotations,
                       std::span<const double> glm_preference) {
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < annotations.rows.size(); ++i) {
    rows.push_back(annotations.rows[i].row);
    if (!glm_preference.empty()) {
      rows.back()["glm_preference"] = glm_preference[i];
    }
  }
  write_json_rows(file, rows);
}

std::vector<double> read_difficulties(const fs::path& file) {
  const CsvTable table = read_csv(file);
  if (table.names.size() < 2) {
    user_error("{}: a column of indices and one of difficulties were expected", file.string());
  }
  return difficulties_by_index(table, 0, table.column("instruction_difficulty"));
}

GamedBaselines read_gamed(const fs::path& file) {
  const CsvTable table = read_csv(file);
  const std::size_t length = table.column("std_delta_len");
  const std::size_t difficulty = table.column("instruction_difficulty");
  GamedBaselines gamed;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    gamed.rows.push_back({number_in(table, row, length), number_in(table, row, difficulty), {}});
    if (table.has("preference")) {
      const double chance = number_in(table, row, table.column("preference"));
      if (!(0 <= chance && chance <= 1)) {
        user_error("{}: row {}, column 'preference': a number from 0 to 1 was expected, not {}",
                   table.source, row, chance);
      }
      gamed.rows.back().win_chance = chance;
    }
  }
  if (gamed.rows.empty()) {
    user_error("{}: the table has no rows", file.string());
  }
  if (table.has("index")) {
    gamed.difficulties = difficulties_by_index(table, table.column("index"), difficulty);
  }
  return gamed;
}

LeaderboardRow leaderboard_row(const WinRates& rates, std::int64_t mean_length,
                               const LengthControl* length_control) {
  LeaderboardRow row = {{"win_rate", csv_number(rates.win_rate)},
                        {"standard_error", csv_number(rates.standard_error)},
                        {"mode", kMode},
                        {"avg_length", count_text(mean_length)},
                        {"n_wins", count_text(rates.wins)},
                        {"n_wins_base", count_text(rates.baseline_wins)},
                        {"n_draws", count_text(rates.draws)},
                        {"n_total", count_text(rates.total)},
                        {"discrete_win_rate", csv_number(rates.discrete_win_rate)}};
  if (length_control != nullptr) {
    row["length_controlled_winrate"] = csv_number(length_control->win_rate);
    row["lc_standard_error"] = csv_number(length_control->standard_error);
  }
  return row;
}

std::string leaderboard_csv(const CsvTable& before, const std::string& model,
                            const LeaderboardRow& row) {
  std::vector<std::string> columns(before.names.begin() + (before.names.empty() ? 0 : 1),
                                   before.names.end());
  for (const std::string& column : kLeaderboardColumns) {
    if (row.contains(column) && std::ranges::find(columns, column) == columns.end()) {
      columns.push_back(column);
    }
  }
  std::vector<std::pair<std::string, LeaderboardRow>> rows;
  for (const std::vector<std::string>& fields : before.rows) {
    LeaderboardRow old;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      old[before.names[i]] = fields[i];
    }
    if (fields[0] != model) {
      rows.emplace_back(fields[0], std::move(old));
    }
  }
  rows.emplace_back(model, row);
  const std::string sorted_by =
      row.contains("length_controlled_winrate") ? "length_controlled_winrate" : "win_rate";
  std::ranges::stable_sort(rows, [&](const auto& a, const auto& b) {
    return sorting_rate(a.second, sorted_by) > sorting_rate(b.second, sorted_by);
  });
  std::string text;
  for (const std::string& column : columns) {
    text += "," + csv_field(column);
  }
  for (const auto& [name, values] : rows) {
    text += "\n" + csv_field(name);
    for (const std::string& column : columns) {
      const auto found = values.find(column);
      text += "," + (found == values.end() ? "" : csv_field(found->second));
    }
  }
  return text + "\n";
}

}  // namespace lmpo
