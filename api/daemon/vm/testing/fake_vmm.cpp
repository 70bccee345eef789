// A VMM without a guest. Its "memory" is one nonce, made at InstanceStart, saved with a snapshot and loaded from it.
//   fake-vmm --control NUMBER …     with a slot page, where 1000 instructions and 10 decoded ones are all of a guest
// A kernel whose name has "bad" in it is refused, and so is a state file that does not begin with "fake state".
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "api/daemon/vm/testing/fake_agent.h"
#include "api/vmm/control/codec.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/message_socket.h"
#include "vmm/os/random.h"
#include "vmm/slot/slot_writer.h"

namespace qm::test {
namespace {

namespace json = boost::json;
namespace control = vmm::control;
using vmm::Answer;

Answer refused(const char* sentence) {
  return {.status = 400, .body = json::serialize(json::object{{"fault_message", sentence}})};
}
const Answer kDone;

std::string textOf(const json::value& value, const char* name) {
  return std::string(value.at(name).as_string());
}

void writeFile(const std::string& path, std::span<const std::byte> bytes) {
  const FileDescriptor file = openFile(path, OpenMode::createNew).value();
  writeAll(file, bytes).value();
}

class FakeVmm {
 public:
  explicit FakeVmm(slot::Writer page) : page_(std::move(page)) {
    page_.mark(slot::Moment::begun);
    page_.mark(slot::Moment::listening);
    page_.move(slot::State::blank);
  }
  Answer answer(const control::Ask& ask, const std::vector<FileDescriptor>&) {
    if (ask.target == "/actions") return start();
    if (ask.target == "/snapshot/create") return save(ask.body);
    const bool bad = ask.target == "/boot-source" && ask.body.contains("bad");
    return bad ? refused("The kernel file is no kernel.") : kDone;
  }
  Answer answer(const control::Load& load, const std::vector<FileDescriptor>& files) {
    const auto state = contentsOf(files[load.state], 100);
    if (!state.has_value() || state->size() != std::strlen("fake state")) return refused("The snapshot is cut.");
    const auto memory = contentsOf(files[load.memory], sizeof nonce_).value();
    std::memcpy(&nonce_, memory.data(), sizeof nonce_);
    listen(load.vsockPath);
    tellGuest();
    return kDone;
  }
  Answer answer(const control::Reset& reset, const std::vector<FileDescriptor>& files) {
    if (socket_.empty()) return refused("There is no guest.");
    std::filesystem::remove(socket_);
    page_.move(slot::State::paused);
    return answer(reset.load, files);
  }
  Answer answer(const control::Observe&, const std::vector<FileDescriptor>& files) {
    writeAt(files[0], 0, std::as_bytes(std::span(&nonce_, 1))).value();
    writeAt(files[1], 0, std::as_bytes(std::span(&nonce_, 1))).value();
    return kDone;
  }
  Answer answer(const control::Prepare&, const std::vector<FileDescriptor>&) { return refused("Nothing to decode."); }

 private:
  Answer start() {
    fillRandom(std::as_writable_bytes(std::span(&nonce_, 1)));
    listen("vsock.sock");
    tellGuest();
    return kDone;
  }
  void listen(const std::string& socket) {
    socket_ = socket;
    agents_.push_back(std::make_unique<FakeAgent>(socket, nonce_));
  }
  Answer save(const std::string& text) const {
    const json::value body = json::parse(text);
    constexpr std::string_view kState = "fake state";
    writeFile(textOf(body, "snapshot_path"), std::as_bytes(std::span(kState)));
    writeFile(textOf(body, "mem_file_path"), std::as_bytes(std::span(&nonce_, 1)));
    return kDone;
  }

  void tellGuest() {
    page_.move(slot::State::loading);
    page_.mark(slot::Moment::loaded);
    page_.move(slot::State::paused);
    page_.move(slot::State::running);
    page_.counted(0, 1000, 10);
  }

  slot::Writer page_;
  std::uint64_t nonce_ = 0;
  std::string socket_;                              // empty: there is no guest
  std::vector<std::unique_ptr<FakeAgent>> agents_;  // they serve until the process ends
};

// Until the other end is gone.
void serve(const FileDescriptor& socket) {
  FakeVmm vmm(slot::Writer::open(FileDescriptor(slot::kDescriptorNumber)).value());
  for (;;) {
    const Message message = receiveMessage(socket).value();
    if (message.bytes.empty()) return;
    const control::Request request = control::decodeRequest(message.bytes, message.descriptors.size()).value();
    const control::Reply reply{
        .id = request.id,
        .answer = std::visit([&](const auto& body) { return vmm.answer(body, message.descriptors); }, request.body)};
    sendMessage(socket, control::encode(reply), {}).value();
  }
}

}  // namespace
}  // namespace qm::test

int main(int count, char** words) {
  if (count < 3 || std::string_view(words[1]) != "--control") return 2;
  qm::test::serve(qm::FileDescriptor(qm::vmm::control::kSocketNumber));
}
