#include "grader/wire/frame.hpp"

#include <cstring>

namespace latent::grader {
namespace {

constexpr std::size_t kMaxValues = 255, kMaxRank = 8, kMaxName = 64;  // counts are one byte

class Writer {
 public:
  explicit Writer(std::uint32_t sequence) : bytes_(sizeof(FrameHeader)), sequence_(sequence) {}

  template <typename T>
  void number(T x) {
    raw(&x, sizeof x);
  }

  void raw(const void* data, std::size_t size) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + size);
    if (size > 0) std::memcpy(bytes_.data() + at, data, size);
  }

  void values(const std::vector<Value>& values) {
    if (values.size() > kMaxValues) throw WireError("more values than fit into one message");
    number(static_cast<std::uint8_t>(values.size()));
    for (const Value& value : values) {
      number(value.type);
      number(static_cast<std::uint8_t>(value.shape.size()));
      raw(value.shape.data(), value.shape.size() * sizeof(std::int64_t));
      raw(value.bytes.data(), value.bytes.size());
    }
  }

  Bytes finish() {
    const std::size_t body = bytes_.size() - sizeof(FrameHeader);
    if (body > kMaxFrame) throw WireError("more numbers than fit into one message");
    const FrameHeader header{.sequence = sequence_, .size = body};
    std::memcpy(bytes_.data(), &header, sizeof header);
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
  std::uint32_t sequence_;
};

class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T x;
    raw(&x, sizeof x);
    return x;
  }

  std::size_t count(std::size_t limit) {
    const std::size_t n = number<std::uint8_t>();
    if (n > limit) throw WireError("a count beyond its limit");
    return n;
  }

  void raw(void* data, std::size_t size) {
    if (size > bytes_.size() - at_) throw WireError("a message that ends early");
    if (size > 0) std::memcpy(data, bytes_.data() + at_, size);
    at_ += size;
  }

  std::vector<Value> values() {
    std::vector<Value> all(count(kMaxValues));
    for (Value& value : all) {
      value.type = type();
      value.shape.resize(count(kMaxRank));
      raw(value.shape.data(), value.shape.size() * sizeof(std::int64_t));
      value.bytes.resize(size_of(value.type) * elements(value.shape));
      raw(value.bytes.data(), value.bytes.size());
    }
    return all;
  }

  void expect_end() const {
    if (at_ != bytes_.size()) throw WireError("a message that goes on after its end");
  }

 private:
  Type type() {
    const auto number_of_type = number<std::uint8_t>();
    if (number_of_type > static_cast<std::uint8_t>(Type::kInt64)) throw WireError("no such type");
    return static_cast<Type>(number_of_type);
  }

  // A hostile shape must become neither an overflow nor an allocation larger than the message.
  std::size_t elements(const Shape& shape) const {
    std::size_t product = 1;
    bool empty = false;
    for (const std::int64_t size : shape) {
      if (size < 0 || static_cast<std::uint64_t>(size) > kMaxFrame) throw WireError("a bad size");
      empty = empty || size == 0;
      product *= size == 0 ? 1 : static_cast<std::size_t>(size);
      if (product > kMaxFrame) throw WireError("more elements than fit");
    }
    // Sizes beside a zero are bounded like all others: who multiplies them must not overflow.
    if (!empty && product > bytes_.size() - at_) throw WireError("a message that ends early");
    return empty ? 0 : product;
  }

  const Bytes& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

Bytes to_frame(const Request& request, std::uint32_t sequence) {
  Writer out(sequence);
  out.number(static_cast<std::uint8_t>(request.operation.size()));
  out.raw(request.operation.data(), request.operation.size());
  out.values(request.arguments);
  return out.finish();
}

Bytes to_frame(const Reply& reply, std::uint32_t sequence) {
  Writer out(sequence);
  out.number(reply.outcome);
  out.values(reply.values);
  return out.finish();
}

Request parse_request(const Bytes& body) {
  Reader in(body);
  Request request;
  request.operation.resize(in.count(kMaxName));
  in.raw(request.operation.data(), request.operation.size());
  request.arguments = in.values();
  in.expect_end();
  return request;
}

Reply parse_reply(const Bytes& body) {
  Reader in(body);
  Reply reply;
  const auto outcome = in.number<std::uint8_t>();
  if (outcome > static_cast<std::uint8_t>(Outcome::kMisused)) throw WireError("no such outcome");
  reply.outcome = static_cast<Outcome>(outcome);
  reply.values = in.values();
  in.expect_end();
  return reply;
}

}  // namespace latent::grader
