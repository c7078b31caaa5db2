// Requests and replies as bytes. parse_reply reads what an untrusted process wrote: whatever the
// bytes, it answers with a reply of exactly these bytes or with a WireError.

#include "grader/wire/frame.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

namespace latent::grader {
namespace {

constexpr Type kTypes[] = {Type::kFloat32, Type::kFloat64, Type::kInt32, Type::kInt64};

Bytes body_of(const Bytes& frame) {
  return {frame.begin() + static_cast<std::ptrdiff_t>(sizeof(FrameHeader)), frame.end()};
}

FrameHeader header_of(const Bytes& frame) {
  FrameHeader header;
  std::memcpy(&header, frame.data(), sizeof header);
  return header;
}

/// A value of this type and shape whose bytes are all different up to 256.
Value value_of(Type type, Shape shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  Value value{type, std::move(shape), std::vector<std::byte>(count * size_of(type))};
  for (std::size_t i = 0; i < value.bytes.size(); ++i)
    value.bytes[i] = static_cast<std::byte>(i + 1);
  return value;
}

/// Every type with every rank from 0 to 8, and a size of 0 in every place.
std::vector<Value> many_values() {
  std::vector<Value> all;
  for (const Type type : kTypes) {
    Shape shape;
    for (std::int64_t rank = 0; rank <= 8; ++rank) {
      all.push_back(value_of(type, shape));
      shape.push_back(rank % 3 + 1);
    }
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Shape shape{2, 3, 4};
    shape[axis] = 0;
    all.push_back(value_of(Type::kInt64, shape));
  }
  return all;
}

/// A body written by hand, for what no writer of ours would write.
class Raw {
 public:
  template <typename T>
  Raw& put(T x) {
    const auto* at = reinterpret_cast<const std::byte*>(&x);
    bytes_.insert(bytes_.end(), at, at + sizeof x);
    return *this;
  }
  Raw& u8(int x) { return put(static_cast<std::uint8_t>(x)); }
  Raw& i64(std::int64_t x) { return put(x); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

/// A reply with one value of this type and shape, followed by this many bytes of elements.
Bytes reply_with(int type, const Shape& shape, std::size_t element_bytes) {
  Raw raw;
  raw.u8(0).u8(1).u8(type).u8(static_cast<int>(shape.size()));
  for (const std::int64_t size : shape) raw.i64(size);
  for (std::size_t i = 0; i < element_bytes; ++i) raw.u8(0);
  return raw.bytes();
}

Bytes any_reply() {
  return body_of(to_frame(
      Reply{Outcome::kValue, {value_of(Type::kFloat32, {2, 3}), value_of(Type::kInt64, {})}, {}},
      1));
}

Bytes any_request() {
  return body_of(to_frame(
      Request{"linear_forward", {value_of(Type::kFloat64, {2}), value_of(Type::kInt32, {1, 2})}},
      1));
}

TEST(Frame, CarriesARequestOfEveryTypeAndRank) {
  for (const Value& value : many_values()) {
    const Request sent{"an_operation", {value}};
    const Request got = parse_request(body_of(to_frame(sent, 1)));
    EXPECT_EQ(got.operation, sent.operation);
    EXPECT_EQ(got.arguments, sent.arguments) << to_string(value.shape);
  }
}

TEST(Frame, CarriesAReplyOfEveryTypeAndRank) {
  for (const Value& value : many_values()) {
    const Reply got = parse_reply(body_of(to_frame(Reply{Outcome::kValue, {value}, {}}, 1)));
    EXPECT_EQ(got.outcome, Outcome::kValue);
    EXPECT_EQ(got.values, std::vector<Value>{value}) << to_string(value.shape);
  }
}

TEST(Frame, CarriesManyValuesInTheirOrder) {
  const std::vector<Value> values = many_values();
  EXPECT_EQ(parse_reply(body_of(to_frame(Reply{Outcome::kValue, values, {}}, 1))).values, values);
  EXPECT_EQ(parse_request(body_of(to_frame(Request{"f", values}, 1))).arguments, values);
}

TEST(Frame, CarriesTheOutcomesOfAWorker) {
  for (const Outcome outcome : {Outcome::kValue, Outcome::kRefused, Outcome::kNotAttempted,
                                Outcome::kThrew, Outcome::kMisused}) {
    EXPECT_EQ(parse_reply(body_of(to_frame(Reply{outcome, {}, {}}, 1))).outcome, outcome);
  }
}

TEST(Frame, RefusesOutcomesThatOnlyTheJudgeCanFind) {
  for (const Outcome outcome : {Outcome::kCrashed, Outcome::kTimedOut, Outcome::kGarbled}) {
    EXPECT_THROW(parse_reply(body_of(to_frame(Reply{outcome, {}, {}}, 1))), WireError);
  }
  EXPECT_THROW(parse_reply(Raw().u8(255).u8(0).bytes()), WireError);
}

TEST(Frame, NeverSendsTheNoteOfAReply) {
  EXPECT_EQ(to_frame(Reply{Outcome::kRefused, {}, "the judge's own words"}, 1),
            to_frame(Reply{Outcome::kRefused, {}, ""}, 1));
}

TEST(Frame, StatesSequenceAndExactLengthInItsHeader) {
  const Bytes frame = to_frame(Request{"f", {value_of(Type::kFloat32, {3})}}, 4711);
  const FrameHeader header = header_of(frame);
  EXPECT_EQ(header.magic, 0x4C41544CU);
  EXPECT_EQ(header.sequence, 4711U);
  EXPECT_EQ(header.size, frame.size() - sizeof(FrameHeader));
}

TEST(Frame, RefusesAMessageCutAtAnyByte) {
  const Bytes reply = any_reply(), request = any_request();
  for (std::size_t size = 0; size < reply.size(); ++size) {
    EXPECT_THROW(
        parse_reply(Bytes(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(size))),
        WireError)
        << size;
  }
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_THROW(
        parse_request(Bytes(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(size))),
        WireError)
        << size;
  }
}

TEST(Frame, RefusesBytesAfterTheEnd) {
  Bytes reply = any_reply(), request = any_request();
  EXPECT_NO_THROW(parse_reply(reply));
  EXPECT_NO_THROW(parse_request(request));
  reply.push_back(std::byte{0});
  request.push_back(std::byte{0});
  EXPECT_THROW(parse_reply(reply), WireError);
  EXPECT_THROW(parse_request(request), WireError);
}

TEST(Frame, RefusesCountsBeyondTheirLimits) {
  const std::vector<Value> most(255, value_of(Type::kInt64, {}));
  std::vector<Value> too_many = most;
  too_many.push_back(too_many.back());
  EXPECT_EQ(parse_reply(body_of(to_frame(Reply{Outcome::kValue, most, {}}, 1))).values, most);
  EXPECT_THROW(to_frame(Reply{Outcome::kValue, too_many, {}}, 1), WireError);
  EXPECT_THROW(to_frame(Request{"f", too_many}, 1), WireError);
  EXPECT_THROW(parse_reply(reply_with(0, Shape(9, 1), 4)), WireError);
  EXPECT_NO_THROW(parse_reply(reply_with(0, Shape(8, 1), 4)));
  EXPECT_THROW(parse_request(body_of(to_frame(Request{std::string(65, 'f'), {}}, 1))), WireError);
  EXPECT_NO_THROW(parse_request(body_of(to_frame(Request{std::string(64, 'f'), {}}, 1))));
}

TEST(Frame, RefusesTypesThatDoNotExist) {
  EXPECT_NO_THROW(parse_reply(reply_with(3, {}, 8)));
  for (const int type : {4, 5, 128, 255})
    EXPECT_THROW(parse_reply(reply_with(type, {}, 8)), WireError) << type;
}

TEST(Frame, RefusesHostileSizes) {
  constexpr std::int64_t kMost = static_cast<std::int64_t>(kMaxFrame), kHuge = INT64_MAX;
  const Shape hostile[] = {{-1},       {INT64_MIN}, {kHuge},           {kMost + 1},
                           {kMost},    {1, -1},     {-1, -1},          {0, -1},
                           {0, kHuge}, {kHuge, 0},  {kMost, 0, kHuge}, {-4, -4}};
  for (const Shape& shape : hostile) {
    for (int type = 0; type < 4; ++type) {
      EXPECT_THROW(parse_reply(reply_with(type, shape, 16)), WireError) << to_string(shape);
    }
  }
}

TEST(Frame, RefusesShapesWhoseProductOverflows) {
  constexpr std::int64_t k32 = std::int64_t{1} << 32, k26 = std::int64_t{1} << 26;
  // 2^64, 2^96 and their like: modulo 2^64 some of these are 0, 1 or 4 elements.
  const Shape hostile[] = {{k32, k32},
                           {k26, k26, 4096},
                           {k26, k26, k26},
                           {k26, k26, k26, 0},
                           {1 << 16, 1 << 16, 1 << 16, 1 << 16},
                           {2, k26, 2, 16, 1 << 30}};
  for (const Shape& shape : hostile) {
    EXPECT_THROW(parse_reply(reply_with(0, shape, 0)), WireError) << to_string(shape);
    EXPECT_THROW(parse_reply(reply_with(1, shape, 8)), WireError) << to_string(shape);
  }
}

TEST(Frame, RefusesMoreElementsThanCameBeforeItMakesRoomForThem) {
  EXPECT_THROW(parse_reply(reply_with(1, {1 << 25}, 8)), WireError);
  EXPECT_THROW(parse_reply(reply_with(1, {2}, 15)), WireError);
  EXPECT_NO_THROW(parse_reply(reply_with(1, {2}, 16)));
}

TEST(Frame, WillNotWriteMoreThanAFrameHolds) {
  const Value large{Type::kFloat32,
                    {static_cast<std::int64_t>(kMaxFrame) / 4},
                    std::vector<std::byte>(kMaxFrame)};
  EXPECT_THROW(to_frame(Reply{Outcome::kValue, {large}, {}}, 1), WireError);
}

/// Parses; where that succeeds, the message must be the only one with these bytes.
void expect_reply_or_error(const Bytes& body) {
  try {
    EXPECT_EQ(body_of(to_frame(parse_reply(body), 1)), body);
  } catch (const WireError&) {
  }
}

void expect_request_or_error(const Bytes& body) {
  try {
    EXPECT_EQ(body_of(to_frame(parse_request(body), 1)), body);
  } catch (const WireError&) {
  }
}

/// Another one each time; LATENTLAB_TEST_SEED repeats one.
unsigned fuzz_seed() {
  const char* wish = std::getenv("LATENTLAB_TEST_SEED");
  return wish != nullptr ? static_cast<unsigned>(std::strtoul(wish, nullptr, 10))
                         : std::random_device{}();
}

TEST(FrameFuzz, ReadsRandomBytesWithoutHarm) {
  const unsigned seed = fuzz_seed();
  SCOPED_TRACE("LATENTLAB_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    Bytes body(random() % 64);
    for (std::byte& b : body)
      b = static_cast<std::byte>(random() % 4 == 0 ? random() : random() % 5);
    expect_reply_or_error(body);
    expect_request_or_error(body);
  }
}

TEST(FrameFuzz, ReadsMessagesWithChangedBytesWithoutHarm) {
  const unsigned seed = fuzz_seed();
  SCOPED_TRACE("LATENTLAB_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const Bytes reply = any_reply(), request = any_request();
  const auto changed = [&random](Bytes body) {
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      body[random() % body.size()] =
          static_cast<std::byte>(random() % 2 == 0 ? random() : random() % 5);
    }
    return body;
  };
  for (int i = 0; i < 20000; ++i) {
    expect_reply_or_error(changed(reply));
    expect_request_or_error(changed(request));
  }
}

}  // namespace
}  // namespace latent::grader
