#include "data/row_renderer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/assistant_turns.h"
#include "data/rendering_checks.h"
#include "data/turn_search.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

// Inserted beside a turn's text to find that text in a rendering.
constexpr std::string_view kMark = "CONTINUE_FINAL_MESSAGE_TAG";
constexpr const char* kAssistant = "assistant";

// The longest common beginning of the texts; it never ends inside a UTF-8 sequence.
std::string_view common_beginning(std::string_view first, const std::vector<std::string>& others) {
  std::size_t length = first.size();
  for (const std::string& other : others) {
    const std::size_t most = std::min(length, other.size());
    length = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(most),
                      other.begin())
            .first -
        first.begin());
  }
  while (length > 0 && length < first.size() &&
         (static_cast<unsigned char>(first[length]) & 0xC0) == 0x80) {
    --length;
  }
  return first.substr(0, length);
}

Turns joined(const Turns& prompt, const Turns& response) {
  Turns turns = prompt;
  turns.insert(turns.end(), response.begin(), response.end());
  return turns;
}

}  // namespace

// A row's turns, arranged for the boundary.
struct RowRenderer::Conversation {
  Turns prompt;
  std::vector<Turns> responses;
  // The prompt ends with an unfinished turn of the assistant, which the responses continue.
  bool open = false;
  ordered_json variables;
  NotedRows notes;

  Turns prompt_with(const Turns& response) const {
    if (!open) {
      return joined(prompt, response);
    }
    Turns turns = prompt;
    turns.back().content += response.front().content;
    turns.back().more = response.front().more;
    turns.insert(turns.end(), response.begin() + 1, response.end());
    return turns;
  }
};

RowRenderer::RowRenderer(const Tokenizer& tokenizer, const ChatTemplate* chat_template,
                         const DataOptions& options)
    : tokenizer_(tokenizer),
      template_(chat_template),
      boundary_(options.boundary),
      target_(settled_target(options, chat_template)),
      kwargs_(options.chat_template_kwargs),
      variables_(template_variables(tokenizer)) {
  if (kwargs_.is_object()) {
    variables_.update(kwargs_);
  }
  insert_system_ =
      boundary_ != Boundary::trl && options.insert_empty_system && accepts_empty_system();
}

bool RowRenderer::accepts_empty_system() const {
  const auto mentions = [&](std::string_view word) {
    return template_ != nullptr && template_->text().find(word) != std::string::npos;
  };
  if (!mentions("system") && !mentions("<|im_start|>")) {
    return false;
  }
  try {
    template_->render(to_json(Turns{{"system", ""}, {"user", "a"}}), false, variables_);
    return true;
  } catch (const UserError&) {
    return boundary_ == Boundary::simpo_published;
  }
}

std::variant<RenderedRow, DropReason> RowRenderer::render(const Row& row) const {
  if (!row.conversational) {
    return render_plain(row);
  }
  if (template_ == nullptr) {
    user_error(
        "this row is a conversation, but the model has no chat template; add chat_template.jinja "
        "to its folder, or use rows of plain text");
  }
  Conversation conversation = conversation_of(row);
  if (target_ == SftTarget::marked) {
    return render_marked(row, std::move(conversation));
  }
  const std::optional<std::string> prompt = open_prompt(conversation);
  if (!prompt) {
    return DropReason::prompt_in_response;
  }
  const std::size_t needed =
      search_prompt(conversation.prompt, row.template_variables, *prompt, conversation.notes);
  Texts whole;
  if (boundary_ != Boundary::simpo_published) {
    for (const Turns& response : conversation.responses) {
      whole.push_back(render(conversation.prompt_with(response), false, conversation));
    }
  }
  std::optional<RenderedRow> rendered;
  if (boundary_ == Boundary::simpo_published) {
    rendered.emplace();
    rendered->prompt = *prompt;
    rendered->responses = alone(conversation);
  } else if (boundary_ == Boundary::trl) {
    rendered = split_trl(conversation, *prompt, whole, needed);
  } else {
    rendered = split_simpo(conversation, *prompt, whole, needed);
  }
  if (!rendered) {
    return DropReason::prompt_in_response;
  }
  if (boundary_ == Boundary::trl) {
    move_thought(conversation, *rendered);
  }
  if (target_ == SftTarget::assistant) {
    add_earlier_turns(conversation, *rendered);
  }
  NotedRows notes = std::move(conversation.notes);
  const std::string header = rendered->prompt.substr(needed);
  for (std::size_t i = 0; i < rendered->responses.size(); ++i) {
    if (!search_response(conversation.responses[i], header + rendered->responses[i], notes)) {
      return DropReason::response_left_out;
    }
  }
  if (rendered->responses.size() == 2 && rendered->responses[0] == rendered->responses[1]) {
    return DropReason::identical_responses;
  }
  rendered->notes.insert(rendered->notes.end(), notes.begin(), notes.end());
  return *std::move(rendered);
}

// An empty thought that the template adds to every response belongs to the prompt, as it does where
// the generation prompt writes it.
void RowRenderer::move_thought(const Conversation& conversation, RenderedRow& rendered) {
  const std::string thought = rendered.responses[0].substr(0, empty_thought(rendered.responses[0]));
  for (std::size_t i = 0; i < rendered.responses.size(); ++i) {
    if (!rendered.responses[i].starts_with(thought) ||
        has_thought(conversation.responses[i].front())) {
      return;
    }
  }
  if (!thought.empty()) {
    for (std::string& response : rendered.responses) {
      response.erase(0, thought.size());
    }
    rendered.prompt += thought;
    rendered.notes.push_back({RowNote::thought_added, ""});
  }
}

// The assistant's turns before the response. The rendered prompt begins as that of generation does,
// at least to the end of the last turn.
void RowRenderer::add_earlier_turns(const Conversation& conversation, RenderedRow& rendered) const {
  Turns turns = conversation.prompt;
  if (conversation.open) {
    turns.pop_back();  // the response continues it
  }
  if (std::ranges::find(turns, kAssistant, &Message::role) == turns.end()) {
    return;
  }
  const RenderTurns render_turns = [&](const Turns& some, bool add_generation_prompt) {
    return render(some, add_generation_prompt, conversation);
  };
  const std::string whole = render_turns(turns, true);
  AssistantTurns found = find_assistant_turns(turns, whole, render_turns);
  for (const jinja::Span& span : found.spans) {
    if (rendered.prompt.compare(0, span.end, whole, 0, span.end) == 0) {
      rendered.scored.push_back(span);
    } else {
      note_once(found.notes, RowNote::turn_not_scored, excerpt(turns.front()));
    }
  }
  rendered.notes.insert(rendered.notes.end(), found.notes.begin(), found.notes.end());
  if (!rendered.scored.empty()) {
    rendered.scored.push_back(
        {rendered.prompt.size(), rendered.prompt.size() + rendered.responses[0].size()});
  }
}

// What the template marks, in the whole conversation.
std::variant<RenderedRow, DropReason> RowRenderer::render_marked(const Row& row,
                                                                 Conversation conversation) const {
  const Turns turns = conversation.prompt_with(conversation.responses[0]);
  jinja::MarkedText whole = template_->render_marked(to_json(turns), conversation.variables);
  if (whole.marks.empty()) {
    return DropReason::response_left_out;
  }
  search_prompt(turns, row.template_variables, whole.text, conversation.notes);
  if (!search_response(conversation.responses[0], whole.text, conversation.notes)) {
    return DropReason::response_left_out;
  }
  RenderedRow rendered;
  rendered.notes = std::move(conversation.notes);
  rendered.prompt = whole.text.substr(0, whole.marks.front().begin);
  rendered.responses = {whole.text.substr(whole.marks.front().begin)};
  rendered.scored = std::move(whole.marks);
  rendered.marked = true;
  return rendered;
}

RenderedRow RowRenderer::render_plain(const Row& row) const {
  RenderedRow rendered;
  rendered.prompt = row.prompt.text;
  const std::string& end = tokenizer_.eos_token();
  for (const Passage& response : row.responses) {
    const bool append = boundary_ == Boundary::trl && !ends_itself(response.text, end);
    rendered.responses.push_back(append ? response.text + end : response.text);
  }
  if (row.implicit_prompt && row.prompt.text.empty()) {
    rendered.notes.push_back({RowNote::no_prompt, ""});
  }
  return rendered;
}

RowRenderer::Conversation RowRenderer::conversation_of(const Row& row) const {
  Conversation conversation{
      .prompt = row.prompt.turns, .responses = {}, .variables = variables_, .notes = {}};
  ordered_json given = kwargs_.is_object() ? kwargs_ : ordered_json::object();
  if (row.template_variables.is_object()) {
    given.update(row.template_variables);
  }
  conversation.variables.update(given);
  if (const std::string unread = unread_inputs(*template_, given); !unread.empty()) {
    conversation.notes.push_back({RowNote::kwargs_unread, unread});
  }
  for (const Passage& response : row.responses) {
    conversation.responses.push_back(response.turns);
  }
  Turns& prompt = conversation.prompt;
  conversation.open = boundary_ != Boundary::simpo_published && !row.implicit_prompt &&
                      prompt.back().role == kAssistant && prompt.back().more.is_null() &&
                      std::ranges::all_of(conversation.responses, [](const Turns& turns) {
                        return turns.front().role == kAssistant;
                      });
  if (boundary_ == Boundary::trl) {
    return conversation;
  }
  if (row.implicit_prompt) {
    // As in the script, the prompt is all of chosen but its last turn, even if rejected differs
    // there.
    Turns& chosen = conversation.responses[0];
    Turns& last = conversation.responses.back();
    if (conversation.responses.size() > 1 && (chosen.size() > 1 || last.size() > 1)) {
      conversation.notes.push_back({RowNote::context_replaced, excerpt(last.front())});
    }
    prompt.insert(prompt.end(), chosen.begin(), chosen.end() - 1);
    for (Turns& response : conversation.responses) {
      response.erase(response.begin(), response.end() - 1);
    }
  }
  if (insert_system_ && prompt.front().role != "system") {
    prompt.insert(prompt.begin(), {"system", ""});
  }
  return conversation;
}

std::string RowRenderer::render(const Turns& turns, bool add_generation_prompt,
                                const Conversation& conversation) const {
  return template_->render(to_json(turns), add_generation_prompt, conversation.variables);
}

// The rendered prompt up to where the model continues: after the assistant's header (not for
// simpo), or inside the unfinished turn. None if the template does not write that turn.
std::optional<std::string> RowRenderer::open_prompt(const Conversation& conversation) const {
  if (!conversation.open) {
    return render(conversation.prompt, boundary_ == Boundary::trl, conversation);
  }
  Turns marked = conversation.prompt;
  marked.back().content.append(kMark);
  std::string text = render(marked, false, conversation);
  const std::size_t at = text.rfind(kMark);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  text.resize(at);
  return text;
}

// The answer in the rendering of a whole conversation that does not begin with the rendered prompt:
// what follows the prompt's last words and the same `header`; else the answer's text and what
// follows it. None if neither is found.
std::optional<std::string> RowRenderer::answer_in(const std::string& whole,
                                                  const Conversation& conversation,
                                                  std::size_t response,
                                                  std::string_view header) const {
  TurnSearch search(whole);
  for (const Message& turn : conversation.prompt) {
    search.find(turn);
  }
  const Message& answer = conversation.responses[response].front();
  if (search.end() > 0 && whole.compare(search.end(), header.size(), header) == 0) {
    std::string rest = whole.substr(search.end() + header.size());
    if (TurnSearch(rest).find(answer)) {
      return rest;
    }
  }
  Turns marked = conversation.responses[response];
  marked.front().content.insert(0, kMark);
  const std::string text = render(conversation.prompt_with(marked), false, conversation);
  const std::size_t at = text.find(kMark);
  const bool parted =
      answer.role == kAssistant && at != std::string::npos &&
      whole.compare(0, at, text, 0, at) == 0 &&
      TurnSearch(std::string_view(whole).substr(0, at)).find(conversation.prompt.back());
  return parted ? std::optional(whole.substr(at)) : std::nullopt;
}

std::optional<RenderedRow> RowRenderer::split_trl(const Conversation& conversation,
                                                  const std::string& prompt, const Texts& whole,
                                                  std::size_t needed) const {
  RenderedRow rendered;
  rendered.prompt = common_beginning(prompt, whole);
  if (rendered.prompt.size() >= needed) {
    for (const std::string& text : whole) {
      rendered.responses.push_back(text.substr(rendered.prompt.size()));
    }
    return rendered;
  }
  // Otherwise some turn of the prompt would be scored, or lost.
  rendered.prompt = prompt;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::optional<std::string> answer = answer_in(whole[i], conversation, i, prompt.substr(needed));
    if (!answer) {
      return std::nullopt;
    }
    rendered.responses.push_back(*std::move(answer));
  }
  rendered.notes.push_back({RowNote::prompt_apart, ""});
  return rendered;
}

std::optional<RenderedRow> RowRenderer::split_simpo(const Conversation& conversation,
                                                    const std::string& prompt, const Texts& whole,
                                                    std::size_t needed) const {
  RenderedRow rendered;
  rendered.prompt = prompt;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::optional<std::string> answer =
        whole[i].starts_with(prompt) ? whole[i].substr(prompt.size())
                                     : answer_in(whole[i], conversation, i, prompt.substr(needed));
    if (!answer) {
      return std::nullopt;
    }
    if (!whole[i].starts_with(prompt)) {
      note_once(rendered.notes, RowNote::prompt_apart, "");
    }
    rendered.responses.push_back(*std::move(answer));
  }
  return rendered;
}

// As published: each response rendered alone, or with the prompt if the template refuses that.
RowRenderer::Texts RowRenderer::alone(const Conversation& conversation) const {
  Texts texts;
  for (const Turns& response : conversation.responses) {
    std::string text;
    try {
      text = render(response, false, conversation);
      if (text.starts_with(tokenizer_.bos_token())) {
        text.erase(0, tokenizer_.bos_token().size());
      }
    } catch (const UserError&) {
      const std::string prompt = render(conversation.prompt, false, conversation);
      text = render(joined(conversation.prompt, response), false, conversation);
      if (!text.starts_with(prompt)) {
        throw;
      }
      text.erase(0, prompt.size());
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace lmpo
