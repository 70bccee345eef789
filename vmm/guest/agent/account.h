// The users of the guest, as passwd(5) and group(5) name them. Read here, since a static program cannot load the C
// library's own readers.
#pragma once

#include <string>
#include <string_view>

#include "vmm/os/piped_child.h"
#include "vmm/result/result.h"

namespace qm::agent {

struct Account {
  std::string name;
  std::string home;
  Credentials credentials;
  bool operator==(const Account&) const = default;
};

// `user` is a name or a number; a number need not be listed (its group is then the same number, its home "/").
// fixInput: there is no such user. Lines that are not of the format are passed over.
Result<Account> findAccount(std::string_view passwd, std::string_view group, std::string_view user);

}  // namespace qm::agent
