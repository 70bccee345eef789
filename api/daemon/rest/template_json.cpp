#include "api/daemon/rest/template_json.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include <boost/json/value_from.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/json/fields.h"
#include "vmm/hypervisor/cpu_template/cpu_template.h"

namespace qm::rest {

namespace {

constexpr std::uint64_t kMostVcpus = 8;
constexpr std::uint64_t kMostMemoryMib = 1ULL << 20U;
constexpr std::uint64_t kMostClones = 10'000;

Result<std::filesystem::path> absolute(std::string_view field, std::string text) {
  std::filesystem::path path(std::move(text));
  if (path.empty() || path.is_absolute()) return path;
  return Error(Remedy::fixInput, fmt::format("\"{}\" must be an absolute path, which {} is not", field, path.string()));
}

Status readHooks(const boost::json::value& value, pool::Recipe& recipe) {
  Fields hooks = TRY(Fields::of(value));
  recipe.beforeSnapshot = TRY(hooks.listsOfTexts("before_snapshot"));
  recipe.afterRestore = TRY(hooks.listsOfTexts("after_restore"));
  return hooks.finish();
}

Status readLimits(const boost::json::value& value, pool::ResourceLimits& limits) {
  constexpr std::uint64_t kMost = 100'000;  // check(Recipe) says what makes sense
  Fields fields = TRY(Fields::of(value));
  limits.vmmMemoryMib =
      static_cast<std::uint32_t>(TRY(fields.number("vmm_memory_mib", {.most = kMost}, limits.vmmMemoryMib)));
  limits.cpuPercent = static_cast<std::uint32_t>(TRY(fields.number("cpu_percent", {.most = kMost}, limits.cpuPercent)));
  return fields.finish();
}

Result<std::string> readCpuTemplate(Fields& fields, std::string_view otherwise) {
  std::string name = TRY(fields.text("cpu_template", otherwise));
  if (std::ranges::find(kCpuTemplates, name) != kCpuTemplates.end()) return name;
  return Error(Remedy::fixInput,
               fmt::format("\"cpu_template\" is \"{}\"; it may be {}", name, fmt::join(kCpuTemplates, " or ")));
}

Result<pool::Reuse> readReuse(Fields& fields) {
  const std::string text = TRY(fields.text("reuse", name(pool::Reuse::destroy)));
  for (const pool::Reuse reuse : {pool::Reuse::destroy, pool::Reuse::reset}) {
    if (text == name(reuse)) return reuse;
  }
  return Error(Remedy::fixInput, fmt::format("\"reuse\" is \"{}\"; it may be destroy or reset", text));
}

Status readFiles(Fields& fields, pool::Recipe& recipe) {
  std::string kernel = TRY(fields.text("kernel"));
  recipe.kernel = TRY(absolute("kernel", std::move(kernel)));
  std::string initrd = TRY(fields.text("initrd", ""));
  recipe.initrd = TRY(absolute("initrd", std::move(initrd)));
  std::vector<std::string> images = TRY(fields.texts("images"));
  for (std::string& image : images) recipe.images.push_back(TRY(absolute("images", std::move(image))));
  return {};
}

Result<pool::GuestNetwork> readNetwork(Fields& fields) {
  pool::GuestNetwork network;
  const std::string kind = TRY(fields.text("net", pool::name(pool::NetworkKind::none)));
  if (kind == pool::name(pool::NetworkKind::slot)) {
    network.kind = pool::NetworkKind::slot;
  } else if (kind != pool::name(pool::NetworkKind::none)) {
    return Error(Remedy::fixInput, fmt::format("\"net\" is \"{}\"; it may be none or slot", kind));
  }
  const std::vector<std::string> egress = TRY(fields.texts("egress"));
  for (const std::string& one : egress) network.egress.push_back(TRY(pool::destinationFrom(one).during("egress")));
  return network;
}

boost::json::array toJson(const std::vector<pool::Destination>& egress) {
  boost::json::array destinations;
  for (const pool::Destination& one : egress) destinations.emplace_back(textOf(one));
  return destinations;
}

}  // namespace

Result<pool::Recipe> recipeFromJson(std::string name, const boost::json::value& value) {
  Fields fields = TRY(Fields::of(value));
  pool::Recipe recipe{.name = std::move(name)};
  TRY(readFiles(fields, recipe));
  recipe.bootArguments = TRY(fields.text("boot_arguments", ""));
  recipe.vcpus = static_cast<std::uint8_t>(TRY(fields.number("vcpus", {.least = 1, .most = kMostVcpus}, 1)));
  constexpr std::uint64_t kUsualMemoryMib = 128;
  recipe.memoryBytes = TRY(fields.number("memory_mib", {.least = 1, .most = kMostMemoryMib}, kUsualMemoryMib)) << 20U;
  recipe.cpuTemplate = TRY(readCpuTemplate(fields, recipe.cpuTemplate));
  recipe.warmUp = TRY(fields.listsOfTexts("warm_up"));
  recipe.rehearsal = TRY(fields.listsOfTexts("rehearsal"));
  if (const boost::json::value* hooks = fields.find("hooks")) TRY(readHooks(*hooks, recipe).during("hooks"));
  recipe.network = TRY(readNetwork(fields));
  if (const boost::json::value* limits = fields.find("limits"))
    TRY(readLimits(*limits, recipe.limits).during("limits"));
  recipe.poolSize = static_cast<std::uint32_t>(TRY(fields.number("pool_size", {.most = kMostClones}, 0)));
  recipe.reuse = TRY(readReuse(fields));
  TRY(fields.finish());
  TRY(pool::check(recipe));
  return recipe;
}

boost::json::object toJson(const pool::Recipe& recipe) {
  boost::json::array images;
  for (const std::filesystem::path& image : recipe.images) images.emplace_back(image.native());
  boost::json::object object{
      {"name", recipe.name},
      {"kernel", recipe.kernel.native()},
      {"initrd", nullptr},
      {"images", std::move(images)},
      {"boot_arguments", recipe.bootArguments},
      {"vcpus", recipe.vcpus},
      {"memory_mib", recipe.memoryBytes >> 20U},
      {"cpu_template", recipe.cpuTemplate},
      {"warm_up", boost::json::value_from(recipe.warmUp)},
      {"rehearsal", boost::json::value_from(recipe.rehearsal)},
      {"hooks", boost::json::object{{"before_snapshot", boost::json::value_from(recipe.beforeSnapshot)},
                                    {"after_restore", boost::json::value_from(recipe.afterRestore)}}},
      {"net", pool::name(recipe.network.kind)},
      {"egress", toJson(recipe.network.egress)},
      {"limits",
       boost::json::object{{"vmm_memory_mib", recipe.limits.vmmMemoryMib}, {"cpu_percent", recipe.limits.cpuPercent}}},
      {"pool_size", recipe.poolSize},
      {"reuse", name(recipe.reuse)}};
  if (!recipe.initrd.empty()) object["initrd"] = recipe.initrd.native();
  return object;
}

boost::json::object toJson(const pool::TemplateStatus& status) {
  return {{"state", pool::name(status.state)}, {"detail", status.detail}};
}

boost::json::object toJson(const pool::TemplateView& view) {
  boost::json::object object = toJson(view.recipe);
  object["status"] = toJson(view.status);
  return object;
}

}  // namespace qm::rest
