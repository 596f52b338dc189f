#include "data/row_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/readable.h"

namespace lmpo {
namespace {

constexpr std::array<RowNoteText, kRowNotes> kTexts = {{
    {"roles_renamed", false, "roles were renamed", "no action needed"},
    {"turn_left_out", true, "the chat template leaves out a turn of the prompt",
     "use a template that writes such turns, or remove them from the data"},
    {"reasoning_left_out", true, "the chat template leaves out the reasoning of a response",
     "use a template that writes it, if the model should learn to reason"},
    {"tools_left_out", true, "the chat template leaves out the row's tools",
     "use a template that writes tools, or remove them from the data"},
    {"speaker_scored", true,
     "a response has turns that are not the assistant's; they are scored too",
     "make the earlier turns part of the prompt"},
    {"prompt_apart", false,
     "the chat template writes the prompt differently when an answer follows; the prompt is what "
     "generation sees",
     "no action needed"},
    {"context_replaced", true,
     "chosen and rejected differ before their last turn; boundary simpo puts both answers after "
     "chosen's conversation",
     "use --boundary trl, or rows whose answers have the same prompt"},
    {"no_prompt", true,
     "the prompt is empty: chosen and rejected are texts without a common beginning",
     "name the prompt's column 'prompt', for example with 'columns: {NAME: prompt}' of the data "
     "set"},
    {"kwargs_unread", false, "chat_template_kwargs has names that the chat template does not read",
     "remove them, or correct their spelling"},
    {"thought_added", false,
     "the chat template adds an empty thought to the answer; it belongs to the prompt",
     "generate with the same: for most models by chat_template_kwargs {\"enable_thinking\": "
     "false}"},
    {"turn_not_scored", true,
     "a turn of the assistant is not scored, since its place in the chat template's text is not "
     "clear",
     "use a template that marks the assistant's text with {% generation %}"},
}};

}  // namespace

const RowNoteText& describe(RowNote note) {
  return kTexts.at(static_cast<std::size_t>(note));
}

void note_once(NotedRows& notes, RowNote note, std::string example) {
  if (std::ranges::find(notes, note, &NotedRow::note) == notes.end()) {
    notes.push_back({note, std::move(example)});
  }
}

void NoteCounts::add(std::int64_t row, const NotedRows& notes) {
  for (const NotedRow& noted : notes) {
    Count& count = counts_.at(static_cast<std::size_t>(noted.note));
    if (count.rows++ == 0) {
      count.first_row = row;
      count.example = noted.example;
    }
  }
}

std::vector<RowNote> NoteCounts::notes() const {
  std::vector<RowNote> all;
  for (std::size_t i = 0; i < kRowNotes; ++i) {
    if (counts_[i].rows > 0) {
      all.push_back(static_cast<RowNote>(i));
    }
  }
  return all;
}

std::string NoteCounts::sentence(RowNote note) const {
  const Count& of = count(note);
  return fmt::format("in {} {} (first: row {}{}{})", counted(of.rows, "row"), describe(note).text,
                     of.first_row, of.example.empty() ? "" : ", ", of.example);
}

json NoteCounts::to_json() const {
  json all = json::object();
  for (const RowNote note : notes()) {
    const Count& of = count(note);
    all[std::string(describe(note).name)] = {of.rows, of.first_row, of.example};
  }
  return all;
}

NoteCounts NoteCounts::from_json(const json& counts) {
  NoteCounts notes;
  for (std::size_t i = 0; i < kRowNotes; ++i) {
    if (const auto found = counts.find(kTexts[i].name); found != counts.end()) {
      notes.counts_[i] = {found->at(0).get<std::int64_t>(), found->at(1).get<std::int64_t>(),
                          found->at(2).get<std::string>()};
    }
  }
  return notes;
}

}  // namespace lmpo
