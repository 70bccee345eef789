// What a recipe comes to: its words and the contents of its files, so that a snapshot made earlier is known to be of
// the same.
#pragma once

#include <string>

#include "pool/template/recipe.h"
#include "snapshot/store/manifest.h"
#include "vmm/result/result.h"

namespace qm::pool {

struct RecipeDigest {
  std::string sha256;  // not of paths, nor of the number of clones kept ready
  snapshot::Provenance provenance;
};

// Reads all files that the recipe names. fixInput: one is missing.
Result<RecipeDigest> digestRecipe(const Recipe& recipe);

}  // namespace qm::pool
