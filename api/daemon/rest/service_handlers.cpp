#include "api/daemon/rest/service_handlers.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/daemon/rest/answer.h"
#include "api/daemon/rest/template_json.h"
#include "vmm/version/version.h"

namespace qm::rest {

Response listPools(const pool::Pool& pool) {
  boost::json::array pools;
  for (const pool::PoolView& view : pool.pools()) {
    pools.push_back(boost::json::object{{"template", view.templateName},
                                        {"status", toJson(view.status)},
                                        {"wanted", view.wanted},
                                        {"ready", view.ready},
                                        {"making", view.making},
                                        {"leased", view.leased}});
  }
  return jsonResponse(200, boost::json::object{{"pools", std::move(pools)}, {"blanks", pool.blanks()}});
}

Response health(std::string_view hypervisor) {
  return jsonResponse(200, boost::json::object{{"status", "ok"}, {"version", kVersion}, {"hypervisor", hypervisor}});
}

Response readiness(const pool::Pool& pool) {
  using State = pool::TemplateStatus::State;
  bool decided = true;
  boost::json::object templates;
  for (const pool::PoolView& view : pool.pools()) {
    templates[view.templateName] = pool::name(view.status.state);
    const bool pending = view.status.state == State::none || view.status.state == State::building;
    if (view.wanted > 0 && pending) decided = false;
  }
  return jsonResponse(decided ? 200 : 503,
                      boost::json::object{{"ready", decided}, {"templates", std::move(templates)}});
}

Response metrics(std::string text) {
  return {.contentType = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

}  // namespace qm::rest
