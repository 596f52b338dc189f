// lmpo chat: a conversation with a model, or with two at once.
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/terminal.h"
#include "chat/chat_screen.h"
#include "chat/chat_session.h"
#include "cli/commands.h"
#include "cli/common_options.h"

namespace lmpo {
namespace {

struct ChatOptions {
  fs::path model;
  fs::path other;
  std::string system;
  bool history = true;
  TemplateOptions template_options;
  std::int64_t context = 0;
  AnswerOptions answer = {.sampling = {.temperature = 0.7}};
  std::int64_t seed = 42;
  MachineOptions machine;
};

void declare(OptionSet& set, ChatOptions& options) {
  set.group("Model and conversation");
  add_model_option(set, options.model);
  set.add("other", options.other, "a second model that answers the same messages",
          {.value_name = "DIR"});
  set.add("system", options.system, "the system message", {.value_name = "TEXT", .verbatim = true});
  add_template_options(set, options.template_options);
  set.add("context", options.context,
          "maximum tokens of a conversation; their memory is reserved at the start",
          {.range = at_least(0), .default_text = "the model's, at most 8192"});
  set.add("history", options.history, "keep typed lines for later sessions in ~/.local/state/lmpo");
  set.group("Decoding");
  set.add("max_new_tokens", options.answer.max_new_tokens, "maximum tokens of an answer",
          {.range = at_least(1)});
  set.add("temperature", options.answer.sampling.temperature,
          "sampling temperature; 0: take the likeliest token", {.range = at_least(0)});
  add_sampling_options(set, options.answer.sampling, options.seed);
  set.group("Speed");
  add_machine_options(set, options.machine);
  set.section("While it runs", ChatSession::help() + "\n");
  set.section("Examples",
              "  lmpo chat --model DIR\n"
              "  lmpo chat -m DIR --other DIR --temperature 0        two models side by side\n"
              "  printf 'Hello\\nAnd in French?\\n' | lmpo chat -m DIR   a line is a turn\n");
}

int run(ChatOptions options) {
  const auto [device, loading] = open_machine(options.machine);
  ChatPartners partners;
  for (const fs::path& folder : {options.model, options.other}) {
    if (!folder.empty()) {
      partners.push_back(std::make_unique<ChatPartner>(folder, device, options.context, loading,
                                                       inputs_of(options.template_options)));
      partners.back()->conversation().set_system(options.system);
    }
  }
  options.answer.seed = static_cast<std::uint64_t>(options.seed);
  const bool interactive = is_terminal(STDIN_FILENO);
  if (interactive) {
    for (const auto& partner : partners) {
      show_note(partner->description());
    }
    show_note("/help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves");
  }
  const auto reader =
      make_line_reader("> ", options.history ? state_file("chat_history") : fs::path());
  ChatSession(std::move(partners), options.answer, interactive).run(*reader);
  return 0;
}

}  // namespace

constinit const CommandCode kChatCommand = command<ChatOptions>(
    "A conversation with a model in the terminal. Without a terminal, every line of standard input "
    "is a turn.");

}  // namespace lmpo
