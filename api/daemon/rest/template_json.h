// Templates in JSON: what PUT /v1/templates/{name} and the configuration file take, and what is shown of them.
#pragma once

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "pool/pool.h"
#include "pool/template/recipe.h"
#include "vmm/result/result.h"

namespace qm::rest {

// Checked as far as a recipe can be by itself (pool::check). Paths are absolute.
Result<pool::Recipe> recipeFromJson(std::string name, const boost::json::value& value);

boost::json::object toJson(const pool::Recipe& recipe);
boost::json::object toJson(const pool::TemplateStatus& status);
boost::json::object toJson(const pool::TemplateView& view);

}  // namespace qm::rest
