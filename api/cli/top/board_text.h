// A daemon's board for people and for programs. Pure.
#pragma once

#include <cstddef>
#include <string>

#include <boost/json/object.hpp>

#include "api/board/board_reader.h"

namespace qm::cli {

boost::json::object boardJson(const board::Look& look);
// Lines, each with its end: the daemon, pools, roads, errors, VMs. Nothing in it steers a terminal.
std::string boardText(const board::Look& look);

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
// As much of the lines as a screen shows, drawn over what it shows so far (ECMA-48: CUP, EL, ED).
std::string frameOf(const std::string& text, ScreenSize size);

}  // namespace qm::cli
