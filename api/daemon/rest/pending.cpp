#include "api/daemon/rest/pending.h"

#include "vmm/os/wait.h"

namespace qm::rest {

Response awaited(Begun begun) {
  for (;;) {
    if (auto* response = std::get_if<Response>(&begun)) return std::move(*response);
    if (auto* job = std::get_if<OnThread>(&begun)) {
      begun = OnThread(std::move(*job)).work();
      continue;
    }
    Pending& pending = *std::get<std::unique_ptr<Pending>>(begun);
    // Past the deadline, too, there is an outcome.
    static_cast<void>(waitReadable(pending.file(), pending.deadline()));
    if (auto next = pending.proceed()) begun = *std::move(next);
  }
}

}  // namespace qm::rest
