#include "pool/shelf/recipe_digest.h"

#include <span>

#include <boost/json.hpp>

#include "snapshot/store/sha256.h"

namespace qm::pool {
namespace {

namespace json = boost::json;

Result<std::string> digestOf(const std::filesystem::path& file, std::string_view what) {
  if (file.empty()) return std::string();
  const snapshot::FileDigest digest = TRY(snapshot::digestFile(file).during(what));
  return digest.sha256;
}

json::array toJson(const std::vector<Command>& commands) {
  json::array list;
  for (const Command& command : commands) list.emplace_back(json::array(command.begin(), command.end()));
  return list;
}

json::object toJson(const snapshot::Provenance& provenance) {
  json::object images;
  for (const auto& [drive, digest] : provenance.imageSha256) images[drive] = digest;
  return {{"cpu_template", provenance.cpuTemplate},
          {"kernel", provenance.kernelSha256},
          {"initrd", provenance.initrdSha256},
          {"images", std::move(images)}};
}

}  // namespace

Result<RecipeDigest> digestRecipe(const Recipe& recipe) {
  snapshot::Provenance provenance{.cpuTemplate = recipe.cpuTemplate};
  provenance.kernelSha256 = TRY(digestOf(recipe.kernel, "reading the kernel"));
  provenance.initrdSha256 = TRY(digestOf(recipe.initrd, "reading the initrd"));
  for (const DrivePlan& drive : drivePlans(recipe)) {
    provenance.imageSha256[drive.id] = TRY(digestOf(drive.image, "reading an image"));
  }
  // Members stand in this order for ever: another order is another digest, and every template is built anew.
  json::object described{{"name", recipe.name},
                         {"made_from", toJson(provenance)},
                         {"boot_arguments", recipe.bootArguments},
                         {"vcpus", recipe.vcpus},
                         {"memory_bytes", recipe.memoryBytes},
                         {"warm_up", toJson(recipe.warmUp)},
                         {"before_snapshot", toJson(recipe.beforeSnapshot)},
                         {"after_restore", toJson(recipe.afterRestore)}};
  // What guests may reach from their network is the host's matter, and in no snapshot.
  if (recipe.network.kind != NetworkKind::none) described["net"] = name(recipe.network.kind);
  const std::string text = json::serialize(described);
  return RecipeDigest{.sha256 = snapshot::sha256(std::as_bytes(std::span(text))), .provenance = std::move(provenance)};
}

}  // namespace qm::pool
