#include "data/row_notes.h"

#include <fmt/format.h>

namespace lmpo {
namespace {

constexpr std::array<RowNoteText, kRowNotes> kTexts = {{
    {"roles_renamed", false, "speakers have names that chat templates do not know",
     "no action needed"},
    {"turn_left_out", true, "the chat template leaves out a turn of the prompt",
     "use a template that writes such turns, or take them out of the data"},
    {"reasoning_left_out", true, "the chat template leaves out the reasoning of a response",
     "use a template that writes it, if the model is to learn to reason"},
    {"tools_left_out", true, "the chat template leaves out the row's tools",
     "use a template that writes tools, or take them out of the data"},
    {"speaker_scored", true,
     "a response holds turns of others than the assistant, and they are scored too",
     "make the earlier turns part of the prompt"},
    {"prompt_apart", false,
     "the chat template writes the prompt differently once an answer follows; the prompt is what "
     "generation sees",
     "no action needed"},
    {"context_replaced", true,
     "chosen and rejected part before their last turn; boundary simpo puts both answers after "
     "chosen's conversation",
     "use --boundary trl, or rows whose answers have the same prompt"},
    {"no_prompt", true,
     "the prompt is empty: chosen and rejected are texts that share no beginning",
     "name the column of the prompt 'prompt', for example by 'columns: {NAME: prompt}' of the data "
     "set"},
}};

}  // namespace

const RowNoteText& describe(RowNote note) {
  return kTexts.at(static_cast<std::size_t>(note));
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
  return fmt::format("in {} {} {} (first: row {}{}{})", of.rows, of.rows == 1 ? "row" : "rows",
                     describe(note).text, of.first_row, of.example.empty() ? "" : ", ", of.example);
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
