#include "vmm/machine/vcpu_thread.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "vmm/os/stack.h"

namespace qm {

VcpuThread::VcpuThread(std::unique_ptr<Vcpu> vcpu, VcpuThreadWiring wiring, std::string name)
    : vcpu_(std::move(vcpu)), wiring_(std::move(wiring)), thread_([this, title = std::move(name)] { loop(title); }) {}

VcpuThread::~VcpuThread() {
  ask(Wanted::ended);
  thread_.join();
}

void VcpuThread::resume() {
  ask(Wanted::running);
}
void VcpuThread::pause() {
  ask(Wanted::parked);
}

// Who waits for an errand is let go when its kick is there already, so that it executes nothing before it parks; and
// who is to run does so when it is known that it waits for errands again.
void VcpuThread::ask(Wanted wanted) {
  if (wanted == Wanted::running) tellErrands(wanted);
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ == Wanted::ended) return;  // who has ended does not come back
    wanted_ = wanted;
  }
  changed_.notify_all();
  if (wanted == Wanted::running) return;
  vcpu_->kick();
  tellErrands(wanted);
}

void VcpuThread::tellErrands(Wanted wanted) {
  {
    const std::lock_guard lock(errands_->mutex);
    errands_->isUnwanted = wanted != Wanted::running;
  }
  errands_->changed.notify_all();
}

void VcpuThread::waitUntilParked() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return parked_; });
}

// Parks as long as that is wanted; false: the thread is to end. Only this thread says that it is not parked any more: a
// pause that follows a resume too soon for it to wake finds it parked still.
bool VcpuThread::waitToRun() {
  std::unique_lock lock(mutex_);
  if (wanted_ != Wanted::running) {
    parked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return wanted_ != Wanted::parked; });
    parked_ = wanted_ == Wanted::ended;
  }
  return wanted_ == Wanted::running;
}

void VcpuThread::loop(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
  if (wiring_.onThread) wiring_.onThread();
  while (waitToRun()) {
    // Parks at an Interrupted only, which each pause() brings about by its kick: after another exit an instruction may
    // be half done (a string, an access in two halves), and its state could not be saved.
    bool whole = false;
    while (!whole && !over_) {
      const VcpuExit exit = vcpu_->run();
      whole = std::holds_alternative<Interrupted>(exit);
      if (wiring_.onExit) wiring_.onExit(exit);
      std::visit([this](const auto& which) { handle(which); }, exit);
    }
  }
  // The C library gives the stack to the next thread, which may be another guest's (Machine::dismantle), with the
  // uppermost 16 KiB as they are; the rest it drops.
  wipeStackBelow<std::size_t{32} * 1024>();
}

void VcpuThread::handle(const MmioRead& exit) {
  std::uint64_t value = 0;
  wiring_.mmio.read(exit.address.value, exit.bytes, value);
  vcpu_->completeRead(value);
}

void VcpuThread::handle(const MmioWrite& exit) {
  wiring_.mmio.write(exit.address.value, exit.bytes, exit.value);
  if (wiring_.serveDevices) sendFor(wiring_.serveDevices);
}

// Who is to park meanwhile does so at its next instruction.
void VcpuThread::sendFor(const LoopErrand& errand) {
  errand([errands = errands_, number = ++asked_] {
    {
      const std::lock_guard lock(errands->mutex);
      errands->done = std::max(errands->done, number);
    }
    errands->changed.notify_all();
  });
  std::unique_lock lock(errands_->mutex);
  errands_->changed.wait(lock, [this] { return errands_->done >= asked_ || errands_->isUnwanted; });
}

void VcpuThread::handle(const IoRead& exit) {
  std::uint64_t value = 0;
  wiring_.ports.read(exit.port, exit.bytes, value);
  vcpu_->completeRead(value);
}

void VcpuThread::handle(const IoWrite& exit) {
  wiring_.ports.write(exit.port, exit.bytes, exit.value);
}

void VcpuThread::handle(const Interrupted& /*exit*/) {}

void VcpuThread::handle(const Alarm& /*exit*/) {
  if (wiring_.onAlarm) sendFor(wiring_.onAlarm);
}

void VcpuThread::handle(const Halted& /*exit*/) {
  end({EndReason::fault, "a vCPU halted where nothing can wake it"});
}

void VcpuThread::handle(const Shutdown& /*exit*/) {
  end({EndReason::tripleFault, "a vCPU had a triple fault"});
}

void VcpuThread::handle(const SystemReset& /*exit*/) {
  end({EndReason::reset, "the guest asked for a reset"});
}

void VcpuThread::handle(const Fault& exit) {
  const Registers& at = exit.registers;
  end({EndReason::fault,
       fmt::format("{}; rip={:#x} rsp={:#x} rflags={:#x} rax={:#x} rbx={:#x} rcx={:#x} rdx={:#x} rsi={:#x} rdi={:#x}",
                   exit.reason, at.rip, at.rsp, at.rflags, at.rax, at.rbx, at.rcx, at.rdx, at.rsi, at.rdi)});
}

void VcpuThread::end(MachineEnd end) {
  over_ = true;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = Wanted::ended;
    parked_ = true;
  }
  changed_.notify_all();
  wiring_.onEnd(std::move(end));
}

}  // namespace qm
