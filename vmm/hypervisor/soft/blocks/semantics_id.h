// What decoded operations mean: they hold distances between functions of one linked program, chosen for one kind of
// host. Another program, or another host's features, reads the same bytes as something else.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace qm::soft {

using SemanticsId = std::array<std::byte, 32>;

// Of this program on this host: the linker's build id, and the features that lowering asks the host for. Nothing: the
// program was linked without one.
std::optional<SemanticsId> semanticsId();

}  // namespace qm::soft
