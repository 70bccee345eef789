#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "api/cli/cells.h"
#include "api/cli/command.h"
#include "api/json/fields.h"
#include "vmm/os/file_descriptor.h"

namespace qm::cli {

namespace {

const Row kHeading{"NAME", "STATE", "VCPUS", "MEMORY MiB", "POOL", "DETAIL"};

Row rowOf(const boost::json::value& view) {
  const boost::json::value& status = view.at("status");
  return {cell(view, "name"),       cell(status, "state"),   cell(view, "vcpus"),
          cell(view, "memory_mib"), cell(view, "pool_size"), cell(status, "detail")};
}

std::string pathOf(const std::string& name) {
  return "/v1/templates/" + name;
}

Result<boost::json::value> readJsonFile(const std::string& path) {
  constexpr std::uint64_t kLongest = 1ULL << 20U;
  const std::vector<std::byte> bytes = TRY(readWholeFile(path, kLongest));
  return parseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).during(path);
}

// The template once it is neither building nor waiting to; each new step is told on standard error.
Result<boost::json::value> awaitBuild(DaemonApi& api, const std::string& name) {
  std::string told;
  for (;;) {
    boost::json::value view = TRY(api.ask("GET", pathOf(name)));
    const std::string state = cell(view.at("status"), "state");
    if (state == "ready" || state == "failed") return view;
    const std::string step = cell(view.at("status"), "detail");
    if (step != told) fmt::print(stderr, "{}: {}\n", name, step);
    told = step;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

int listTemplates(DaemonApi& api, Format format) {
  const auto answer = api.ask("GET", "/v1/templates");
  if (!answer.has_value()) return fail(answer.error());
  std::vector<Row> rows{kHeading};
  for (const boost::json::value& view : answer->at("templates").as_array()) rows.push_back(rowOf(view));
  return show(format, *answer, rows);
}

int putTemplate(DaemonApi& api, Format format, const std::string& name, const std::string& file) {
  const auto recipe = readJsonFile(file);
  if (!recipe.has_value()) return fail(recipe.error(), kMistyped);
  const auto view = api.ask("PUT", pathOf(name), *recipe);
  if (!view.has_value()) return fail(view.error());
  return show(format, *view, {kHeading, rowOf(*view)});
}

int buildTemplate(DaemonApi& api, Format format, const std::string& name) {
  const auto asked = api.ask("POST", pathOf(name) + "/build");
  if (!asked.has_value()) return fail(asked.error());
  const auto view = awaitBuild(api, name);
  if (!view.has_value()) return fail(view.error());
  show(format, *view, {kHeading, rowOf(*view)});
  return cell(view->at("status"), "state") == "ready" ? kDone : kFailed;
}

int removeTemplate(DaemonApi& api, const std::string& name) {
  const auto removed = api.ask("DELETE", pathOf(name));
  return removed.has_value() ? kDone : fail(removed.error());
}

int listPools(DaemonApi& api, Format format) {
  const auto answer = api.ask("GET", "/v1/pools");
  if (!answer.has_value()) return fail(answer.error());
  std::vector<Row> rows{{"TEMPLATE", "STATE", "WANTED", "READY", "MAKING", "LEASED"}};
  for (const boost::json::value& pool : answer->at("pools").as_array()) {
    rows.push_back({cell(pool, "template"), cell(pool.at("status"), "state"), cell(pool, "wanted"), cell(pool, "ready"),
                    cell(pool, "making"), cell(pool, "leased")});
  }
  return show(format, *answer, rows);
}

}  // namespace qm::cli
