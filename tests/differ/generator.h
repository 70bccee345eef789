// Makes cases from seeds.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/differ/case.h"
#include "tests/differ/inventory.h"

namespace qm::differ {

class Generator {
 public:
  Generator();
  // The same case for the same seed. First the mnemonic is chosen among the family's, then one of its forms.
  Case make(const CaseSeed& seed) const;
  // A case of this form alone, for coverage; nothing where the seed's choices do not fit it.
  std::optional<Case> makeOf(const Inventory::Entry& entry, const CaseSeed& seed) const;

  const Inventory& inventory() const { return inventory_; }
  const Codec& codec() const { return codec_; }
  // What the data, the read-only page and the stack hold where a case says nothing else.
  std::span<const std::uint8_t> background() const { return background_; }

 private:
  bool tryMake(Case& subject, const Inventory::Entry& entry, Random& random) const;

  Inventory inventory_;
  Codec codec_;
  std::vector<std::uint8_t> background_;
};

}  // namespace qm::differ
