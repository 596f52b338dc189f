#include "inspect/data_inspection.h"

#include "inspect/row_kind.h"
#include "model/config.h"
#include "text/text_model.h"

namespace lmpo {
namespace {

// Where generation stops: what config.json says, or the tokenizer alone where there is none.
std::vector<std::int64_t> stop_ids(const fs::path& model, const Tokenizer& tokenizer) {
  if (fs::exists(model / "config.json")) {
    return read_stop_ids(model, read_model_config(model));
  }
  const auto eos = tokenizer.eos_id();
  return eos ? std::vector<std::int64_t>{*eos} : std::vector<std::int64_t>();
}

}  // namespace

DataReport inspect_data(DataInspection inspection) {
  TextModel text = TextModel::load(inspection.model);
  if (const fs::path& file = inspection.chat_template; !file.empty()) {
    text.chat = ChatTemplate::parse(read_file(file), file.string());
  }
  SurveyOptions& options = inspection.survey;
  options.data.kind = inspection.kind ? *inspection.kind : detect_row_kind(inspection.sources);
  options.stop_ids = stop_ids(inspection.model, text.tokenizer);
  options.has_template = text.chat.has_value();
  DataSurvey survey(text.tokenizer, options);
  const Dataset dataset =
      load_dataset(inspection.sources, text.tokenizer, text.chat_template(), options.data,
                   [&](const RowSeen& seen) { survey.add(seen); });
  DataReport report = survey.finish(dataset);
  for (const DataSource& source : inspection.sources) {
    report.sources.push_back(source.path.string());
  }
  report.model = inspection.model.string();
  report.row_kind = name(options.data.kind);
  if (inspection.packs && !dataset.trees.empty()) {
    report.packs = pack_report(dataset.trees, inspection.packs->order, inspection.packs->limits);
  }
  return report;
}

}  // namespace lmpo
