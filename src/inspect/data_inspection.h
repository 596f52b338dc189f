// Rows of data as a model sees them: from files to a DataReport.
#pragma once

#include <optional>
#include <vector>

#include "data/sampler.h"
#include "data/source.h"
#include "inspect/data_report.h"
#include "inspect/data_survey.h"
#include "train/packs.h"

namespace lmpo {

struct PackInspection {
  SamplerOptions order;
  PackLimits limits;
};

struct DataInspection {
  std::vector<DataSource> sources;
  fs::path model;                            // whose tokenizer and template are used
  fs::path chat_template = {};               // a file to use instead of the model's template
  std::optional<RowKind> kind = {};          // none: see detect_row_kind
  SurveyOptions survey = {};                 // kind, stop ids and template are filled in
  std::optional<PackInspection> packs = {};  // if given, how full packs are is reported, too
};

// UserError as load_dataset, and for a row to show that there is not.
DataReport inspect_data(DataInspection inspection);

}  // namespace lmpo
