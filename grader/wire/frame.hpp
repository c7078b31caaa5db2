/// @file
/// Requests and replies as bytes: a header of fixed size that states an exact, bounded length, then
/// that many bytes. No general parser ever reads what an untrusted process wrote.
#pragma once

#include <cstdint>
#include <vector>

#include "grader/wire/value.hpp"

namespace latent::grader {

using Bytes = std::vector<std::byte>;

inline constexpr std::size_t kMaxFrame = std::size_t{64} << 20;  ///< Bytes of one frame's body.

/// Precedes every frame.
struct FrameHeader {
  std::uint32_t magic = 0x4C41544C;
  std::uint32_t sequence = 0;  ///< A reply carries its request's number.
  std::uint64_t size = 0;      ///< Bytes that follow.
};

Bytes to_frame(const Request& request, std::uint32_t sequence);
Bytes to_frame(const Reply& reply, std::uint32_t sequence);

/// @throws WireError  if the body is anything but one well-formed request or reply.
Request parse_request(const Bytes& body);
Reply parse_reply(const Bytes& body);

}  // namespace latent::grader
