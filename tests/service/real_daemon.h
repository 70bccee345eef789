// quickmatchd over real, jailed guests, with a client of its REST interface.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "api/daemon/testing/asking.h"
#include "api/daemon/testing/running_daemon.h"
#include "tests/hypervisor_under_test.h"
#include "tests/products.h"
#include "vmm/os/file_descriptor.h"

namespace qm::test {

namespace json = boost::json;

// Long for a machine that other work slows down: whoever waits so long has failed.
constexpr std::chrono::minutes kPatience{2};

inline testing::AssertionResult eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return testing::AssertionFailure() << "not in two minutes";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return testing::AssertionSuccess();
}

// The image `hello`; 64 MiB, so that a snapshot is soon written and verified.
inline json::object helloRecipe(std::size_t poolSize) {
  return {{"kernel", kernelProduct().native()},
          {"initrd", imageProduct("hello.cpio").native()},
          {"boot_arguments", "console=ttyS0 reboot=k panic=-1 quiet"},
          {"memory_mib", 64},
          {"pool_size", poolSize}};
}

class RealDaemon {
 public:
  // Its jails reach what the project built, and this folder besides.
  explicit RealDaemon(const std::filesystem::path& folder = products())
      : daemon_({.daemon = QM_DAEMON,
                 .vmm = QM_VMM,
                 .spawner = QM_SPAWNER,
                 .options = {"--jail", "namespaces", "--hypervisor", hypervisorUnderTest(), "--folder", products(),
                             "--folder", folder}}) {}

  void put(const std::string& name, const json::object& recipe) {
    const HttpAnswer answer = client_.answer("PUT", "/v1/templates/" + name, json::serialize(recipe));
    EXPECT_TRUE(answer.status == 200 || answer.status == 201) << answer.body;
  }
  json::value pool(const std::string& name) {
    const json::value all = client_.ask("GET", "/v1/pools", 200);
    for (const json::value& one : all.at("pools").as_array()) {
      if (one.at("template") == json::string(name)) return one;
    }
    ADD_FAILURE() << "no pool of " << name;
    return {};
  }
  // A template that fails is not waited for.
  testing::AssertionResult awaitReady(const std::string& name, std::size_t clones) {
    json::value seen;
    const auto decided = eventually([&] {
      seen = pool(name);
      return seen.at("ready").to_number<std::size_t>() >= clones || seen.at("status").at("state") == "failed";
    });
    if (decided && seen.at("ready").to_number<std::size_t>() >= clones) return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(seen) << "\n" << log();
  }

  json::value exec(const Held& lease, const std::vector<std::string>& argv, json::object more = {}) {
    more["argv"] = json::array(argv.begin(), argv.end());
    more.emplace("timeout_ms", 60'000);
    return client_.exec(lease, json::serialize(more));
  }
  // What a shell's script prints, which must not fail.
  std::string said(const Held& lease, const std::string& script) {
    const json::value ran = exec(lease, {"/bin/sh", "-c", script});
    EXPECT_EQ(ran.at("exit_code"), 0) << json::serialize(ran);
    return std::string(ran.at("stdout").as_string());
  }
  void release(const Held& lease) { client_.ask("DELETE", lease.path, 204, "", lease.token); }

  std::vector<std::filesystem::path> vmFolders() const {
    std::vector<std::filesystem::path> folders;
    for (const auto& entry : std::filesystem::directory_iterator(state() / "vms")) {
      if (entry.is_directory()) folders.push_back(entry.path());
    }
    return folders;
  }
  std::string log() const {
    const std::vector<std::byte> bytes = readWholeFile(daemon_.folder() / "daemon.log", 16U << 20U).value();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // text, as its writer knows it
  }
  std::filesystem::path state() const { return daemon_.state(); }

  RunningDaemon& process() { return daemon_; }
  Asking& client() { return client_; }

 private:
  RunningDaemon daemon_;
  Asking client_{daemon_.socket()};
};

}  // namespace qm::test
