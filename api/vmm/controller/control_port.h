// The VMM's end of the control channel: does what the daemon asks, one message after the other, on the loop's thread.
// A message that is none is answered, where it has an id to answer to, and closes nothing. When the other end is gone,
// a VMM that has no guest yet has nobody to get one from and ends; one that has a guest lives on without the channel.
#pragma once

#include <functional>

#include "api/vmm/control/control_values.h"
#include "api/vmm/controller/controller.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/message_socket.h"
#include "vmm/result/result.h"

namespace qm::vmm {

class ControlPort {
 public:
  // Loop and controller outlive the port; `onAbandoned` is called once, on the loop's thread. Before the loop runs.
  static Result<std::unique_ptr<ControlPort>> open(FileDescriptor socket, EventLoop& loop, Controller& controller,
                                                   std::function<void()> onAbandoned);
  ControlPort(const ControlPort&) = delete;
  ControlPort& operator=(const ControlPort&) = delete;
  // While the loop does not run.
  ~ControlPort() = default;

 private:
  ControlPort(FileDescriptor socket, EventLoop& loop, Controller& controller, std::function<void()> onAbandoned)
      : socket_(std::move(socket)), loop_(loop), controller_(controller), onAbandoned_(std::move(onAbandoned)) {}
  void serve();
  void leave();
  Answer answer(const control::Ask& ask, std::vector<FileDescriptor> files);
  Answer answer(const control::Load& load, std::vector<FileDescriptor> files);
  Answer answer(const control::Reset& reset, std::vector<FileDescriptor> files);
  Answer answer(const control::Observe& observe, std::vector<FileDescriptor> files);
  Answer answer(const control::Prepare& prepare, std::vector<FileDescriptor> files);

  FileDescriptor socket_;
  EventLoop& loop_;
  Controller& controller_;
  std::function<void()> onAbandoned_;
};

}  // namespace qm::vmm
