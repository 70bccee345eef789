
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/cli/command.h"
#include "api/cli/top/board_text.h"
#include "api/cli/top/terminal.h"

namespace qm::cli {

namespace {

int showOnce(const board::Look& look, Format format) {
  if (format == Format::json) {
    fmt::print("{}\n", boost::json::serialize(boardJson(look)));
  } else {
    fmt::print("{}", boardText(look));
  }
  return look.liveness == board::Liveness::serving ? kDone : kFailed;
}

// A daemon that ends in order takes its board away, and the next one puts up another: that is waited for.
int showLive(const std::filesystem::path& file) {
  Result<Terminal> terminal = Terminal::open();
  if (!terminal.has_value()) return fail(terminal.error());
  do {
    const Result<board::Look> look = board::lookAtBoard(file);
    terminal->draw(frameOf(look.has_value() ? boardText(*look) : look.error().text() + "\n", terminal->size()));
  } while (terminal->wait(board::kPeriod) == Terminal::Next::later);
  return kDone;
}

}  // namespace

int top(const std::filesystem::path& board, Format format, Showing showing) {
  const Result<board::Look> look = board::lookAtBoard(board);
  if (!look.has_value()) return fail(look.error());
  if (format == Format::json || showing == Showing::once) return showOnce(*look, format);
  return showLive(board);
}

}  // namespace qm::cli
