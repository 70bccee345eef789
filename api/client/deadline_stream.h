// A connected, non-blocking socket as Beast's synchronous algorithms read a stream, with a deadline. Beast's own
// streams know deadlines in asynchronous calls only. For http_client.cpp only: it shows Beast.
#pragma once

#include <chrono>
#include <span>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/wait.h"

namespace qm {

class DeadlineStream {
 public:
  // Refers to `socket`, which outlives it.
  DeadlineStream(const FileDescriptor& socket, std::chrono::steady_clock::time_point deadline)
      : socket_(socket), deadline_(deadline) {}

  // SyncReadStream
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& failure) {
    const boost::asio::mutable_buffer room =
        firstOf(boost::asio::buffer_sequence_begin(buffers), boost::asio::buffer_sequence_end(buffers));
    if (room.size() == 0) return done(0, failure);
    const std::span bytes(static_cast<std::byte*>(room.data()), room.size());
    for (;;) {
      const Result<std::size_t> count = readSome(socket_, bytes);
      if (count.has_value() && *count == 0) return fail(boost::asio::error::eof, failure);
      if (count.has_value()) return done(*count, failure);
      if (count.error().remedy() != Remedy::retry) return fail(boost::asio::error::connection_reset, failure);
      if (!waitReadable(socket_, deadline_).has_value()) return fail(boost::asio::error::timed_out, failure);
    }
  }

  // The throwing form, which the concept asks for and nobody calls.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers);

 private:
  // The first buffer that is not empty: one may always do less than all.
  template <class Iterator>
  static boost::asio::mutable_buffer firstOf(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) {
      const boost::asio::mutable_buffer buffer(*begin);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }
  static std::size_t done(std::size_t count, boost::system::error_code& failure) {
    failure = {};
    return count;
  }
  static std::size_t fail(boost::system::error_code error, boost::system::error_code& failure) {
    failure = error;
    return 0;
  }

  const FileDescriptor& socket_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace qm
