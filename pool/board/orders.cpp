#include "pool/board/orders.h"

#include <algorithm>
#include <utility>

namespace qm::pool {

void Orders::answer(Order& order, Result<Taken> answer) {
  std::erase(open_, &order);
  order.answer.emplace(std::move(answer));
  order.answered.notify_one();
}

void Orders::answerAll(const Error& error) {
  while (!open_.empty()) answer(*open_.front(), error);
}

Order* Orders::first(std::string_view templateName) const {
  const auto found = std::ranges::find_if(
      open_, [&](const Order* order) { return !order->forced && order->templateName == templateName; });
  return found == open_.end() ? nullptr : *found;
}

std::uint32_t Orders::count(std::string_view templateName) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      open_, [&](const Order* order) { return !order->forced && order->templateName == templateName; }));
}

std::set<std::string, std::less<>> Orders::templates() const {
  std::set<std::string, std::less<>> names;
  for (const Order* order : open_) {
    if (!order->forced) names.insert(order->templateName);
  }
  return names;
}

Order* Orders::takeForced() {
  const auto found = std::ranges::find_if(open_, [](const Order* order) { return order->forced.has_value(); });
  if (found == open_.end()) return nullptr;
  Order* order = *found;
  open_.erase(found);
  return order;
}

}  // namespace qm::pool
