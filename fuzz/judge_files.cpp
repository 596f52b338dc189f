// Any bytes as a table, as rows of judged answers, and as a judge's text: refused with a UserError, or
// they make rows of equal lengths and labels that are in the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "judge/arena_score.h"
#include "judge/csv.h"

namespace {

void read_table(std::string_view text) {
  try {
    const lmpo::CsvTable table = lmpo::parse_csv(text, "table");
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      LMPO_CHECK(table.rows[row].size() == table.names.size());
      static_cast<void>(table.number(row, 0));
    }
  } catch (const lmpo::UserError&) {
  }
}

void read_verdicts(std::string_view text) {
  for (const lmpo::ArenaRules rules : {lmpo::ArenaRules::v01, lmpo::ArenaRules::v2}) {
    const auto label = lmpo::verdict_label(text, rules);
    LMPO_CHECK(!label || !label->empty());
    LMPO_CHECK(!label || rules == lmpo::ArenaRules::v2 || text.find(*label) != text.npos);
    LMPO_CHECK(!label || !lmpo::lacks_label(text, rules));
    const std::size_t rows = lmpo::game_rows({label, label}, rules).size();
    LMPO_CHECK(rows <= 6 && rows % 2 == 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_table(text);
  read_verdicts(text);
  return 0;
}
