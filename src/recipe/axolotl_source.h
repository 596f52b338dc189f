// What axolotl's recipes say of a data source.
#pragma once

#include <string>

#include "data/source.h"

namespace YAML {
class Node;
}

namespace lmpo {

// Takes `type` and `field_*`, which say what the columns are called; what is known without being
// told (roles, ds_type) is accepted. False where the key is none of axolotl's. Throws UserError for
// a type that lmpo does not read and for texts that would be put around the columns'.
bool set_axolotl_key(DataSource& source, const std::string& key, const YAML::Node& node);

}  // namespace lmpo
