#include "data/assistant_turns.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "data/rendering_checks.h"
#include "data/turn_search.h"

namespace lmpo {
namespace {

constexpr std::string_view kThoughtBegin = "<think>";
constexpr std::string_view kThoughtEnd = "</think>";
constexpr std::string_view kTurnMark = "END_OF_THIS_MESSAGE_TAG";

Turns first_turns(const Turns& turns, std::size_t count) {
  return {turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::size_t common_size(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
  return static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
}

// The size that a beginning of a text has without a part of a tag ("<|") or of a character at its
// end.
std::size_t without_parts(std::string_view text, std::size_t size) {
  const std::size_t open = text.substr(0, size).find_last_of("<[");
  if (open != std::string_view::npos &&
      text.substr(0, size).find_first_of(">]", open) == std::string_view::npos) {
    return open;
  }
  while (size > 0 && size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
    --size;
  }
  return size;
}

// A generation prompt without the thought that it begins, empty or open.
std::string_view without_thought(std::string_view header) {
  const std::size_t at = header.rfind(kThoughtBegin);
  return header.substr(0, std::min(at, header.size()));
}

// Finds the turns of one conversation in its rendering.
class TurnFinder {
 public:
  TurnFinder(const Turns& turns, const std::string& rendering, const RenderTurns& render)
      : turns_(turns), rendering_(rendering), render_(render) {}

  std::optional<jinja::Span> find(std::size_t turn) const {
    if (turn == 0) {
      return std::nullopt;  // nothing before it says how it begins
    }
    const auto begin = begin_of(turn);
    const auto end = end_of(turn);
    if (!begin || !end || *begin >= *end) {
      return std::nullopt;
    }
    return jinja::Span{*begin, *end};
  }

 private:
  std::optional<std::size_t> begin_of(std::size_t turn) const {
    const std::string before = render_(first_turns(turns_, turn), true);
    if (rendering_.starts_with(before)) {
      return before.size();
    }
    const auto here = end_of_text(turns_, turn - 1, rendering_, true);
    const auto there = end_of_text(first_turns(turns_, turn), turn - 1, before, true);
    if (!here || !there) {
      return std::nullopt;
    }
    const std::string_view rest = std::string_view(rendering_).substr(*here);
    const std::string_view header = std::string_view(before).substr(*there);
    for (const std::string_view part : {header, without_thought(header)}) {
      if (rest.starts_with(part)) {
        return *here + part.size();
      }
    }
    return std::nullopt;
  }

  std::optional<std::size_t> end_of(std::size_t turn) const {
    const Turns up_to_it = first_turns(turns_, turn + 1);
    const std::string alone = render_(up_to_it, false);
    if (rendering_.starts_with(alone)) {
      return alone.size();
    }
    const auto here = end_of_text(turns_, turn, rendering_, true);
    const auto there = end_of_text(up_to_it, turn, alone, false);
    if (!here || !there) {
      return std::nullopt;
    }
    const std::string_view closing = std::string_view(alone).substr(*there);
    const std::string_view rest = std::string_view(rendering_).substr(*here);
    if (rest.starts_with(closing)) {
      return *here + closing.size();
    }
    // What ends only the whole text, such as EOS, is no part of this turn.
    return tool_calls(turns_[turn]).empty()
               ? std::optional(*here + without_parts(rest, common_size(closing, rest)))
               : std::nullopt;
  }

  // Where the text of a turn ends in the rendering of `turns`. None if the template does not write
  // its end as it is.
  std::optional<std::size_t> end_of_text(Turns turns, std::size_t turn,
                                         const std::string& rendering,
                                         bool add_generation_prompt) const {
    turns[turn].content.append(kTurnMark);
    turns[turn].more.is_object() ? turns[turn].more.erase("content") : 0;
    const std::string marked = render_(turns, add_generation_prompt);
    const std::size_t at = marked.rfind(kTurnMark);
    if (at == std::string::npos || marked.find(kTurnMark) != at) {
      return std::nullopt;
    }
    const std::string_view rest = std::string_view(marked).substr(at + kTurnMark.size());
    if (!rendering.ends_with(rest)) {
      return std::nullopt;
    }
    return rendering.size() - rest.size();
  }

  const Turns& turns_;
  const std::string& rendering_;
  const RenderTurns& render_;
};

}  // namespace

SftTarget settled_target(const DataOptions& options, const ChatTemplate* chat_template) {
  const SftTarget target = options.kind == RowKind::sft ? options.sft_target : SftTarget::response;
  if (target != SftTarget::assistant && target != SftTarget::marked) {
    return target;
  }
  if (options.boundary != Boundary::trl) {
    user_error("sft_on {}: works with boundary trl, not with {}",
               target == SftTarget::marked ? "marked" : "assistant", name(options.boundary));
  }
  const bool has_marks = chat_template != nullptr && chat_template->has_marks();
  if (target == SftTarget::marked && !has_marks) {
    user_error(
        "sft_on marked: the chat template marks nothing with {{% generation %}}; use sft_on "
        "assistant, or a template with marks (chat_template_path)");
  }
  return has_marks ? SftTarget::marked : target;
}

AssistantTurns find_assistant_turns(const Turns& prompt, const std::string& rendering,
                                    const RenderTurns& render) {
  AssistantTurns found;
  const TurnFinder finder(prompt, rendering, render);
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    if (prompt[i].role != "assistant") {
      continue;
    }
    std::optional<jinja::Span> span;
    try {
      span = finder.find(i);
    } catch (const UserError&) {
      // The template refuses a part of a conversation that it renders whole.
    }
    const bool in_order = span && (found.spans.empty() || found.spans.back().end <= span->begin);
    const std::string text = in_order ? rendering.substr(span->begin, span->end - span->begin) : "";
    if (!in_order || !search_response({prompt[i]}, text, found.notes)) {
      note_once(found.notes, RowNote::turn_not_scored, excerpt(prompt[i]));
      continue;
    }
    const std::size_t thought = has_thought(prompt[i]) ? 0 : empty_thought(text);
    found.spans.push_back({span->begin + thought, span->end});
  }
  return found;
}

std::size_t empty_thought(std::string_view text) {
  constexpr std::size_t kMostLineEnds = 2;
  if (!text.starts_with(kThoughtBegin)) {
    return 0;
  }
  std::size_t at = std::min(text.find_first_not_of('\n', kThoughtBegin.size()), text.size());
  if (!text.substr(at).starts_with(kThoughtEnd)) {
    return 0;
  }
  at += kThoughtEnd.size();
  for (std::size_t i = 0; i < kMostLineEnds && text.substr(at).starts_with('\n'); ++i) {
    ++at;
  }
  return at;
}

bool has_thought(const Message& turn) {
  const auto has = [&](const char* key) {
    return turn.more.is_object() && turn.more.contains(key) && turn.more[key].is_string();
  };
  return turn.content.find(kThoughtEnd) != std::string::npos || has("reasoning_content") ||
         has("reasoning") || has("thinking");
}

}  // namespace lmpo
