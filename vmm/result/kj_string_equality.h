// Cap'n Proto 0.9's blob.h compares a C string with a kj::StringPtr and finds the operator by g++'s laxer lookup only;
// clang 19 does not. Force-included before Cap'n Proto's headers in the targets that use them (qm_capnp,
// CMakeLists.txt).
#pragma once

#include <kj/string.h>

namespace kj {

inline bool operator==(const char* a, StringPtr b) {
  return StringPtr(a) == b;
}
inline bool operator!=(const char* a, StringPtr b) {
  return !(StringPtr(a) == b);
}

}  // namespace kj
