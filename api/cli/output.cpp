#include <cstdio>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/cli/command.h"

namespace qm::cli {

int show(Format format, const boost::json::value& document, const std::vector<Row>& rows) {
  if (format == Format::json) {
    fmt::print("{}\n", boost::json::serialize(document));
  } else {
    fmt::print("{}", tableText(rows));
  }
  return kDone;
}

int fail(const Error& error, int exitCode) {
  fmt::print(stderr, "quickmatch: {}\n", error.text());
  return exitCode;
}

}  // namespace qm::cli
