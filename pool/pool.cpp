#include "pool/pool.h"

#include <algorithm>
#include <thread>

#include "pool/inside.h"

namespace qm::pool {

std::uint32_t usableCores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

Pool::Pool(PoolWiring wiring, const PoolSettings& settings)
    : inside_(std::make_unique<Inside>(std::move(wiring), settings)) {}
Pool::~Pool() = default;

Status Pool::putTemplate(const Recipe& recipe) {
  return inside_->putTemplate(recipe);
}
std::vector<TemplateView> Pool::templates() const {
  return inside_->templates();
}
std::optional<TemplateView> Pool::findTemplate(std::string_view name) const {
  return inside_->findTemplate(name);
}
bool Pool::hasTemplate(std::string_view name) const {
  return inside_->hasTemplate(name);
}
Status Pool::removeTemplate(std::string_view name) {
  return inside_->removeTemplate(name);
}
Status Pool::build(std::string_view name) {
  return inside_->build(name);
}
Result<Grant> Pool::acquire(const AcquireRequest& request) {
  return inside_->acquire(request);
}
Result<BegunAcquire> Pool::beginAcquire(const AcquireRequest& request) {
  return inside_->beginAcquire(request);
}
Access Pool::access(std::string_view id, std::string_view token) const {
  return inside_->access(id, token);
}
std::optional<LeaseView> Pool::lease(std::string_view id) const {
  return inside_->lease(id);
}
std::vector<LeaseView> Pool::leases() const {
  return inside_->leases();
}
Result<LeaseView> Pool::renew(std::string_view id, std::chrono::milliseconds ttl) {
  return inside_->renew(id, ttl);
}
Status Pool::release(std::string_view id) {
  return inside_->release(id);
}
bool Pool::releasesAtOnce() const {
  return inside_->releasesAtOnce();
}
Result<Reply> Pool::ping(std::string_view id) {
  return inside_->ping(id);
}
Result<agent::Ran> Pool::exec(std::string_view id, const agent::Run& run) {
  return inside_->exec(id, run);
}
Result<std::unique_ptr<Awaited<Reply>>> Pool::beginPing(std::string_view id) {
  return inside_->beginPing(id);
}
Result<std::unique_ptr<Awaited<agent::Ran>>> Pool::beginExec(std::string_view id, const agent::Run& run) {
  return inside_->beginExec(id, run);
}
Error Pool::explained(std::string_view id, Error error) {
  return inside_->explained(id, std::move(error));
}
Result<MemoryUse> Pool::memoryUse(std::string_view id) {
  return inside_->memoryUse(id);
}
Result<std::unique_ptr<Awaited<GuestConnection>>> Pool::beginConnect(std::string_view id, std::uint16_t port) {
  return inside_->beginConnect(id, port);
}
std::vector<PoolView> Pool::pools() const {
  return inside_->pools();
}
std::uint32_t Pool::blanks() const {
  return inside_->blanks();
}
Load Pool::load() const {
  return inside_->load();
}
void Pool::shutdown() {
  inside_->shutdown();
}

}  // namespace qm::pool
