// An HTTP/1.1 response (RFC 9112) as it comes in, piece by piece. What quickmatchd sends, no more: a body's length
// stands in Content-Length (or there is none, by the status); no transfer coding, no interim response.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::bench {

enum class Progress : std::uint8_t { partial, complete };

class HttpResponse {
 public:
  // Takes the next bytes. An error (giveUp): these are no such response; more bytes than one response has, too, since
  // nothing else was asked for. Ask no more after complete or an error, until reset().
  Result<Progress> take(std::string_view bytes);
  void reset();

  // Once it is complete.
  std::uint16_t status() const { return status_; }
  std::string_view body() const { return std::string_view(text_).substr(bodyAt_); }
  bool keepsConnection() const { return keeps_; }

 private:
  Status readHead(std::string_view head);
  Status readField(std::string_view line);

  std::string text_;
  std::size_t bodyAt_ = 0;  // 0: the head is not complete
  std::size_t bodyBytes_ = 0;
  std::uint16_t status_ = 0;
  bool keeps_ = true;
};

}  // namespace qm::bench
