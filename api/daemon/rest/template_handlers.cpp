#include "api/daemon/rest/template_handlers.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "api/daemon/rest/answer.h"
#include "api/daemon/rest/template_json.h"

namespace qm::rest {

namespace {

Answered<pool::TemplateView> existing(const pool::Pool& pool, std::string_view name) {
  auto view = pool.findTemplate(name);
  if (view) return *std::move(view);
  return std::unexpected(
      respond({.code = ProblemCode::noSuchTemplate, .detail = fmt::format("there is no template named \"{}\"", name)}));
}

}  // namespace

Response listTemplates(const pool::Pool& pool) {
  boost::json::array templates;
  for (const pool::TemplateView& view : pool.templates()) templates.push_back(toJson(view));
  return jsonResponse(200, boost::json::object{{"templates", std::move(templates)}});
}

Response getTemplate(const pool::Pool& pool, const PathValues& path) {
  const pool::TemplateView view = TRY(existing(pool, path.at("name")));
  return jsonResponse(200, toJson(view));
}

Response putTemplate(pool::Pool& pool, const Request& request, const PathValues& path) {
  const boost::json::value body = TRY(bodyOf(request));
  const pool::Recipe recipe = TRY(understood(recipeFromJson(path.at("name"), body)));
  const bool replaces = pool.hasTemplate(recipe.name);
  TRY(done(pool.putTemplate(recipe), fmt::format("the template \"{}\" was not taken", recipe.name)));
  const pool::TemplateView view = TRY(existing(pool, recipe.name));
  return jsonResponse(replaces ? 200 : 201, toJson(view));
}

Response deleteTemplate(pool::Pool& pool, const PathValues& path) {
  const pool::TemplateView view = TRY(existing(pool, path.at("name")));
  TRY(done(pool.removeTemplate(view.recipe.name), fmt::format("the template \"{}\" stays", view.recipe.name)));
  return emptyResponse();
}

Response buildTemplate(pool::Pool& pool, const PathValues& path) {
  const pool::TemplateView before = TRY(existing(pool, path.at("name")));
  const std::string& name = before.recipe.name;
  TRY(done(pool.build(name), fmt::format("the template \"{}\" is not built", name)));
  const pool::TemplateView view = TRY(existing(pool, name));
  Response response = jsonResponse(202, toJson(view));
  response.headers.emplace_back("Location", fmt::format("/v1/templates/{}", name));
  return response;
}

}  // namespace qm::rest
