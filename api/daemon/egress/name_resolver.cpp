#include "api/daemon/egress/name_resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>

namespace qm {

Result<std::vector<std::string>> resolveByHost(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for every kind of socket
  addrinfo* first = nullptr;
  const int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &first);
  if (failure != 0) return Error(Remedy::retry, "looking up " + name + ": " + ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(first, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.emplace_back(text.data());
  }
  return addresses;
}

}  // namespace qm
