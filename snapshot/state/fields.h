// Plain numbers between a C++ struct and its schema struct: one row for each, from which writing, reading and the test
// that fills every field follow. A row compiles only if all three have the same type.
//
// Fields<Struct> is specialised for each struct that has plain numbers:
//   To, From   the schema's Builder and Reader
//   kRows      a tuple of Field
//   kByHand    how many members of Struct are not in kRows, because their codec has more to say about them
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace qm::snapshot {

template <class Struct, class Number, class Builder, class Reader>
struct Field {
  Number Struct::* member;
  void (Builder::*set)(Number);
  Number (Reader::*get)() const;
};

template <class Struct>
struct Fields;

namespace detail {

struct Anything {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor): never called
};

// How many members the aggregate has: as many as it takes initialisers.
template <class Struct, class... Initialisers>
consteval std::size_t memberCount() {
  if constexpr (requires { Struct{Initialisers{}..., Anything{}}; }) {
    return memberCount<Struct, Initialisers..., Anything>();
  } else {
    return sizeof...(Initialisers);
  }
}

}  // namespace detail

// Calls visit(row) for each row of Struct. Does not compile when Struct has a member that nobody stores.
template <class Struct, class Visit>
void forEachField(const Visit& visit) {
  using Table = Fields<Struct>;
  static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(Table::kRows)>> + Table::kByHand ==
                detail::memberCount<Struct>());
  std::apply([&visit](const auto&... row) { (visit(row), ...); }, Table::kRows);
}

template <class Struct>
void storeFields(const Struct& from, typename Fields<Struct>::To to) {
  forEachField<Struct>([&](const auto& row) { (to.*row.set)(from.*row.member); });
}

// A Struct with its plain numbers read, and the rest at its defaults.
template <class Struct>
Struct loadFields(typename Fields<Struct>::From from) {
  Struct into;
  forEachField<Struct>([&](const auto& row) { into.*row.member = (from.*row.get)(); });
  return into;
}

}  // namespace qm::snapshot
