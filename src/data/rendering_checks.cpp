#include "data/rendering_checks.h"

#include "data/turn_search.h"

namespace lmpo {

std::size_t search_prompt(const Turns& turns, const ordered_json& variables,
                          const std::string& prompt, NotedRows& notes) {
  TurnSearch search(prompt);
  const Message* lost = nullptr;
  for (const Message& turn : turns) {
    if (!search.find(turn) && lost == nullptr) {
      lost = &turn;
    }
  }
  if (lost != nullptr) {
    notes.push_back({RowNote::turn_left_out, excerpt(*lost)});
  }
  if (variables.is_object() && variables.contains("tools")) {
    for (const ordered_json& tool : variables["tools"]) {
      if (const std::string name = function_name(tool); !TurnSearch(prompt).find_text(name)) {
        notes.push_back({RowNote::tools_left_out, name});
        break;
      }
    }
  }
  return search.end();
}

bool search_response(const Turns& turns, const std::string& text, NotedRows& notes) {
  TurnSearch search(text);
  for (const Message& turn : turns) {
    if (!search.find(turn)) {
      return false;
    }
    if (turn.role != "assistant") {
      note_once(notes, RowNote::speaker_scored, excerpt(turn));
    } else if (search.reasoning_left_out() || !TurnSearch(text).find_text(reasoning(turn))) {
      note_once(notes, RowNote::reasoning_left_out, excerpt(turn));
    }
  }
  return true;
}

bool ends_itself(std::string_view text, std::string_view end) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return text.ends_with(end) ||
         (last != std::string_view::npos && text.substr(0, last + 1).ends_with(end));
}

}  // namespace lmpo
