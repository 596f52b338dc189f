// Observations about rows that are used, counted, with the first row of each kind.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

enum class RowNote {
  roles_renamed,       // role names that templates do not know were replaced
  turn_left_out,       // the template does not write a turn of the prompt, or a tool call in it
  reasoning_left_out,  // the template does not write the reasoning of a response
  tools_left_out,      // the template does not write the row's tools
  speaker_scored,      // a response has turns that are not the assistant's
  prompt_apart,        // the template writes the prompt differently when an answer follows
  context_replaced,    // simpo: rejected belongs to another conversation than chosen
  no_prompt,           // plain chosen and rejected without a common beginning
  kwargs_unread,       // the template does not read one of the row's or the run's kwargs
  thought_added,       // the template adds an empty thought that generation does not see
  turn_not_scored,     // sft_on assistant: a turn's place is not clear
};
inline constexpr std::size_t kRowNotes = 11;

struct RowNoteText {
  std::string_view name;  // stable, for findings
  bool warning;           // false: for information only
  std::string_view text;  // completes "in 12 rows ..."
  std::string_view remedy;
};
const RowNoteText& describe(RowNote note);

// A note about one row, with an example such as "system: Be brief."
struct NotedRow {
  RowNote note;
  std::string example;
};
using NotedRows = std::vector<NotedRow>;
// Adds a note unless one of its kind is there.
void note_once(NotedRows& notes, RowNote note, std::string example);

class NoteCounts {
 public:
  struct Count {
    std::int64_t rows = 0;
    std::int64_t first_row = 0;
    std::string example;  // of that row
  };

  void add(std::int64_t row, const NotedRows& notes);
  const Count& count(RowNote note) const { return counts_.at(static_cast<std::size_t>(note)); }
  // The kinds with a count above 0.
  std::vector<RowNote> notes() const;
  // "in 12 rows the chat template leaves out ... (first: row 3, system: Be brief.)"
  std::string sentence(RowNote note) const;

  // For the token cache.
  json to_json() const;
  static NoteCounts from_json(const json& counts);

 private:
  std::array<Count, kRowNotes> counts_;
};

}  // namespace lmpo
