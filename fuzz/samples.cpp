// Any bytes as samples, and as the scores of two prompts: refused with a UserError, or they make
// preferences with different scores.
#include "data/samples.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    lmpo::read_rows(text, "samples", [](lmpo::SourceRow&& row) {
      const lmpo::Samples samples = lmpo::parse_samples(row);
      lmpo::Scores scores;
      for (const std::string& response : samples.responses) {
        scores.push_back(static_cast<double>(response.size()));
      }
      const auto pair = lmpo::best_and_worst(samples, scores);
      if (const auto* made = std::get_if<lmpo::ordered_json>(&pair)) {
        LMPO_CHECK(made->at("score_chosen") > made->at("score_rejected"));
        LMPO_CHECK(!made->dump().empty());
      }
    });
  } catch (const lmpo::UserError&) {
  }
  const std::vector<lmpo::Samples> two = {{"0", "samples:1", {{"user", "p"}}, {"a", "b"}},
                                          {"\"x\"", "samples:2", {{"user", "q"}}, {"c"}}};
  try {
    lmpo::ScoreTable table(two);
    lmpo::read_rows(text, "scores", [&](lmpo::SourceRow&& row) { table.add(row); });
    const auto scores = table.take("scores");
    LMPO_CHECK(scores.size() == 2 && scores[0].size() == 2 && scores[1].size() == 1);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
