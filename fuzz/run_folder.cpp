// Any bytes as the files of a run's folder: read as far as possible, and drawn. Zero bytes separate
// the four files.
#include "report/run_folder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "report/report_page.h"
#include "report/run_summary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::array<std::string, 4> files;
  for (std::string& file : files) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    file = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  lmpo::Run run;
  lmpo::read_run_files({files[0], files[1], files[2], files[3]}, run);
  for (const lmpo::MetricTable* table : {&run.training, &run.evaluation}) {
    LMPO_CHECK(table->epoch.size() == table->size() && table->seconds.size() == table->size());
    for (const auto& [metric, values] : table->columns) {
      LMPO_CHECK(values.size() == table->size());
    }
  }
  lmpo::notices_of(run);
  lmpo::Report report;
  report.runs = {&run, 1};
  lmpo::report_charts(report);
  // Nothing ends the element of the page's data or opens a comment.
  const std::string page = lmpo::report_page(report);
  std::size_t closed = 0;
  for (auto at = page.find("</script"); at != std::string::npos;
       at = page.find("</script", at + 1)) {
    ++closed;
  }
  LMPO_CHECK(closed == 2 && page.find("<!--") == std::string::npos);
  return 0;
}
