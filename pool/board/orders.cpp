#include "pool/board/orders.h"

#include <algorithm>
#include <utility>

namespace qm::pool {

void Orders::add(Order& order) {
  Line& line = order.forced ? forced_ : lines_[order.templateName];
  line.push_back(&order);
  ++count_;
}

bool Orders::withdraw(Order& order) {
  const auto named = lines_.find(order.templateName);
  if (!order.forced && named == lines_.end()) return false;
  Line& line = order.forced ? forced_ : named->second;
  const auto found = std::ranges::find(line, &order);
  if (found == line.end()) return false;
  line.erase(found);
  --count_;
  if (!order.forced && line.empty()) lines_.erase(named);
  return true;
}

void Orders::answer(Order& order, Result<Taken> answer) {
  withdraw(order);
  order.answer.emplace(std::move(answer));
  if (order.bell != nullptr) order.bell->signal();
  order.answered.notify_one();
}

void Orders::answerAll(const Error& error) {
  while (!forced_.empty()) answer(*forced_.front(), error);
  while (!lines_.empty()) answer(*lines_.begin()->second.front(), error);
}

void Orders::dropLate(TimePoint now, const Error& error) {
  std::vector<Order*> late;
  const auto isLate = [now](const Order* order) { return order->until <= now; };
  for (const auto& [name, line] : lines_) std::ranges::copy_if(line, std::back_inserter(late), isLate);
  std::ranges::copy_if(forced_, std::back_inserter(late), isLate);
  for (Order* order : late) answer(*order, error);
}

Order* Orders::first(std::string_view templateName) const {
  const auto found = lines_.find(templateName);
  return found == lines_.end() ? nullptr : found->second.front();
}

std::uint32_t Orders::count(std::string_view templateName) const {
  const auto found = lines_.find(templateName);
  return found == lines_.end() ? 0 : static_cast<std::uint32_t>(found->second.size());
}

std::vector<std::string> Orders::templates() const {
  std::vector<std::string> names;
  names.reserve(lines_.size());
  for (const auto& [name, line] : lines_) names.push_back(name);
  return names;
}

Order* Orders::takeForced() {
  if (forced_.empty()) return nullptr;
  Order* order = forced_.front();
  forced_.pop_front();
  --count_;
  return order;
}

}  // namespace qm::pool
