#include "convert/stored_model.h"

namespace lmpo {

StoredModel::StoredModel(const fs::path& path)
    : folder(path), config(read_model_config(path)), checkpoint(Checkpoint::open(path)) {
  check_tensors(config, checkpoint);
}

}  // namespace lmpo
