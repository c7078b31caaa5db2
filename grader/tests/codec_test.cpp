// Arguments and results as values and back, for every type that a contract may use.

#include "grader/wire/codec.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <set>

#include "grader/judge/compare.hpp"
#include "grader/judge/forked.hpp"
#include "grader/judge/loading.hpp"
#include "grader/wire/frame.hpp"

namespace latent::grader {
namespace {

enum class Choice2 { kFirst, kSecond, kThird };

struct Inner {
  RowVector row;
  double number = 0.0;
};

struct Outer {
  Inner left;
  std::int64_t count = 0;
  Inner right;
  Choice2 choice = Choice2::kFirst;
};

struct Eight {
  int a, b, c, d, e, f, g, h;
};

template <typename T>
std::vector<Value> values_of(const T& object) {
  std::vector<Value> values;
  encode(object, values);
  return values;
}

template <typename T>
T decoded(const std::vector<Value>& values) {
  ValueReader in(values);
  T object = decode<T>(in);
  in.expect_end();
  return object;
}

/// Through values, through bytes, and back; the values must be the same.
template <typename T>
T round_trip(const T& object) {
  const std::vector<Value> values = values_of(object);
  const Bytes frame = to_frame(Reply{Outcome::kValue, values, {}}, 1);
  const Bytes body(frame.begin() + static_cast<std::ptrdiff_t>(sizeof(FrameHeader)), frame.end());
  const Reply reply = parse_reply(body);
  EXPECT_EQ(reply.values, values);
  return decoded<T>(reply.values);
}

Matrix counted(Index rows, Index cols) {
  Matrix x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i) + 0.5F;
  return x;
}

TEST(Codec, CarriesNumbersWithTheirTypeAndNoShape) {
  EXPECT_EQ(round_trip(1.5F), 1.5F);
  EXPECT_EQ(round_trip(0.1), 0.1);
  EXPECT_EQ(round_trip(std::numeric_limits<std::int32_t>::min()),
            std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(round_trip(std::numeric_limits<std::int64_t>::max()),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(round_trip(std::numeric_limits<std::uint64_t>::max()),
            std::numeric_limits<std::uint64_t>::max());
  const Type types[] = {values_of(1.5F)[0].type, values_of(0.1)[0].type,
                        values_of(std::int32_t{1})[0].type, values_of(std::int64_t{1})[0].type};
  EXPECT_EQ(types[0], Type::kFloat32);
  EXPECT_EQ(types[1], Type::kFloat64);
  EXPECT_EQ(types[2], Type::kInt32);
  EXPECT_EQ(types[3], Type::kInt64);
  EXPECT_EQ(values_of(0.1)[0].shape, Shape{});
}

TEST(Codec, CarriesTruthAndEnumerationsAsInt32) {
  EXPECT_TRUE(round_trip(true));
  EXPECT_FALSE(round_trip(false));
  EXPECT_EQ(round_trip(Choice2::kThird), Choice2::kThird);
  EXPECT_EQ(values_of(Choice2::kThird)[0].type, Type::kInt32);
}

TEST(Codec, CarriesNaNAndInfinityBitForBit) {
  EXPECT_TRUE(std::isnan(round_trip(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(round_trip(-std::numeric_limits<double>::infinity()),
            -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::signbit(round_trip(-0.0)));
}

TEST(Codec, CarriesMatricesOfAnyShape) {
  for (const auto& [rows, cols] :
       {std::pair<Index, Index>{2, 3}, {3, 2}, {1, 1}, {0, 4}, {4, 0}, {0, 0}}) {
    const Matrix got = round_trip(counted(rows, cols));
    EXPECT_EQ(shape_of(got), latent::to_string(Shape{rows, cols}));
    EXPECT_TRUE((got.array() == counted(rows, cols).array()).all());
  }
  EXPECT_EQ(values_of(counted(2, 3))[0].shape, (Shape{2, 3}));
}

TEST(Codec, CarriesVectorsWithOneSizeWhicheverWayTheyLie) {
  const RowVector row = RowVector::LinSpaced(4, 1.0F, 4.0F);
  const DoubleVector column = DoubleVector::LinSpaced(3, 0.1, 0.3);
  EXPECT_EQ(round_trip(row), row);
  EXPECT_EQ(round_trip(column), column);
  EXPECT_EQ(round_trip(RowVector(0)).size(), 0);
  EXPECT_EQ(values_of(row)[0].shape, Shape{4});
  EXPECT_EQ(values_of(column)[0].shape, Shape{3});
}

TEST(Codec, CarriesTensorsAndLists) {
  Tensor4 tensor(2, 1, 3, 2);
  for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] = static_cast<float>(i);
  const Tensor4 got = round_trip(tensor);
  EXPECT_EQ(got.shape(), tensor.shape());
  for (Index i = 0; i < tensor.size(); ++i) EXPECT_EQ(got.data()[i], tensor.data()[i]);
  EXPECT_EQ(round_trip(Tensor4(0, 3, 0, 1)).shape(), (Shape{0, 3, 0, 1}));
  EXPECT_EQ(round_trip(Shape{3, -1, 7}), (Shape{3, -1, 7}));
  EXPECT_EQ(round_trip(std::vector<double>{}), std::vector<double>{});
  EXPECT_EQ(round_trip(std::vector<float>{0.5F}), std::vector<float>{0.5F});
  EXPECT_EQ(round_trip(std::vector<std::int32_t>{1, -2}), (std::vector<std::int32_t>{1, -2}));
  EXPECT_EQ(round_trip(std::vector<std::uint64_t>{~0ULL}), std::vector<std::uint64_t>{~0ULL});
}

TEST(Codec, CarriesNestedAggregatesMemberByMember) {
  const Outer sent{{RowVector::Constant(2, 1.0F), 2.0},
                   3,
                   {RowVector::Constant(1, 4.0F), 5.0},
                   Choice2::kSecond};
  const Outer got = round_trip(sent);
  EXPECT_EQ(got.left.row, sent.left.row);
  EXPECT_EQ(got.left.number, 2.0);
  EXPECT_EQ(got.count, 3);
  EXPECT_EQ(got.right.row, sent.right.row);
  EXPECT_EQ(got.right.number, 5.0);
  EXPECT_EQ(got.choice, Choice2::kSecond);
  EXPECT_EQ(values_of(sent).size(), 6U);
}

TEST(Codec, CarriesAggregatesOfEightMembersInTheirOrder) {
  const std::vector<Value> values = values_of(Eight{1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_EQ(values.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(values[i].at(0), static_cast<double>(i + 1));
  EXPECT_EQ(decoded<Eight>(values).h, 8);
}

double minus(double a, double b) {
  return a - b;
}
Inner make_inner(const RowVector& row, double number) {
  return {2.0F * row, number};
}
double three_types(float a, std::int32_t b, const Outer& c) {
  return 100.0 * a + 10.0 * b + c.right.number;
}

TEST(Signature, CallsWithTheArgumentsInTheirOrder) {
  using Minus = Signature<double(double, double)>;
  EXPECT_EQ(Minus::result(Minus::call(minus, Minus::pack(5.0, 3.0))), 2.0);
  using Three = Signature<double(float, std::int32_t, const Outer&)>;
  EXPECT_EQ(
      Three::result(Three::call(three_types, Three::pack(1.0F, 2, Outer{{}, 0, {{}, 3.0}, {}}))),
      123.0);
}

TEST(Signature, ConvertsArgumentsAsACallWould) {
  using Minus = Signature<double(double, double)>;
  EXPECT_EQ(Minus::pack(5, 3.0F)[0].type, Type::kFloat64);
  EXPECT_EQ(Minus::result(Minus::call(minus, Minus::pack(5, 3.0F))), 2.0);
}

TEST(Codec, CarriesListsOfAggregatesWithTheirLength) {
  const std::vector<Inner> list{{RowVector::Ones(2), 1.0}, {RowVector::Zero(3), 2.0}};
  EXPECT_EQ(values_of(list).size(), 5U);
  const std::vector<Inner> back = round_trip(list);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].row, list[0].row);
  EXPECT_EQ(back[1].row, list[1].row);
  EXPECT_EQ(back[1].number, 2.0);
  EXPECT_TRUE(round_trip(std::vector<Inner>{}).empty());
}

TEST(Codec, RefusesAListThatIsShorterThanItSays) {
  std::vector<Value> values = values_of(std::vector<Inner>{{RowVector::Ones(2), 1.0}});
  const std::int64_t too_many = std::int64_t{1} << 60;
  std::memcpy(values[0].bytes.data(), &too_many, sizeof too_many);
  EXPECT_THROW(decoded<std::vector<Inner>>(values), WireError);
  const std::int64_t none = 0;
  std::memcpy(values[0].bytes.data(), &none, sizeof none);
  EXPECT_THROW(decoded<std::vector<Inner>>(values), WireError);
}

TEST(Signature, ReturnsAnAggregateMemberByMember) {
  using Make = Signature<Inner(const RowVector&, double)>;
  const Inner got = Make::result(Make::call(make_inner, Make::pack(RowVector::Ones(2), 7.0)));
  EXPECT_EQ(got.row, RowVector::Constant(2, 2.0F));
  EXPECT_EQ(got.number, 7.0);
}

TEST(Signature, RefusesTooFewAndTooManyValues) {
  using Minus = Signature<double(double, double)>;
  EXPECT_THROW(Minus::call(minus, values_of(1.0)), WireError);
  EXPECT_THROW(Minus::call(minus, {}), WireError);
  std::vector<Value> three = Minus::pack(1.0, 2.0);
  three.push_back(three[0]);
  EXPECT_THROW(Minus::call(minus, three), WireError);
  EXPECT_THROW(Minus::result({}), WireError);
  EXPECT_THROW(Minus::result(Minus::pack(1.0, 2.0)), WireError);
}

/// A value of every type and rank, to be offered where another one belongs.
template <typename T>
void expect_refused_unless(Type type, std::size_t rank) {
  for (const Type other : {Type::kFloat32, Type::kFloat64, Type::kInt32, Type::kInt64}) {
    for (std::size_t other_rank = 0; other_rank <= 5; ++other_rank) {
      const Value value{other, Shape(other_rank, 1), std::vector<std::byte>(size_of(other))};
      if (other == type && other_rank == rank) {
        EXPECT_NO_THROW(decoded<T>({value}));
      } else {
        EXPECT_THROW(decoded<T>({value}), WireError)
            << "type " << static_cast<int>(other) << " rank " << other_rank;
      }
    }
  }
}

TEST(Codec, RefusesAnotherTypeOrRank) {
  expect_refused_unless<float>(Type::kFloat32, 0);
  expect_refused_unless<double>(Type::kFloat64, 0);
  expect_refused_unless<std::int64_t>(Type::kInt64, 0);
  expect_refused_unless<std::uint64_t>(Type::kInt64, 0);
  expect_refused_unless<bool>(Type::kInt32, 0);
  expect_refused_unless<Choice2>(Type::kInt32, 0);
  expect_refused_unless<Matrix>(Type::kFloat32, 2);
  expect_refused_unless<Oracle>(Type::kFloat64, 2);
  expect_refused_unless<RowVector>(Type::kFloat32, 1);
  expect_refused_unless<DoubleVector>(Type::kFloat64, 1);
  expect_refused_unless<Tensor4>(Type::kFloat32, 4);
  expect_refused_unless<Shape>(Type::kInt64, 1);
  expect_refused_unless<std::vector<double>>(Type::kFloat64, 1);
}

TEST(Codec, RefusesAnAggregateThatLacksItsLastMember) {
  std::vector<Value> values = values_of(Inner{RowVector::Ones(2), 1.0});
  values.pop_back();
  EXPECT_THROW(decoded<Inner>(values), WireError);
}

/// The solutions, asked through bytes in both directions. It runs in the judge's child process, so
/// it writes what it was asked into a file.
class ThroughBytes final : public Submission {
 public:
  ThroughBytes(const Lab& lab, const std::string& log) : table_(lab), log_(log, std::ios::app) {}

  Reply ask(const Request& request) override {
    const Request arrived = parse_request(body(to_frame(request, 1)));
    const bool same =
        arrived.operation == request.operation && arrived.arguments == request.arguments;
    log_ << (same ? "" : "CHANGED ") << request.operation << std::endl;
    return parse_reply(body(to_frame(table_.ask(arrived), 1)));
  }

 private:
  static Bytes body(const Bytes& frame) {
    return {frame.begin() + static_cast<std::ptrdiff_t>(sizeof(FrameHeader)), frame.end()};
  }

  LinkedTable table_;
  std::ofstream log_;
};

TEST(EveryLab, AsksEachOfItsOperationsAndEachAnswersThroughBytes) {
  ASSERT_FALSE(labs().empty());
  const std::string log = testing::TempDir() + "through_bytes." + std::to_string(::getpid());
  for (const Lab& lab : labs()) {
    if (has_judge(lab)) load_judge(lab);  // all but the lab of these tests
    const auto results = judge_forked(
        {&lab, [&] { return std::make_unique<ThroughBytes>(lab, log); }, JudgeOptions{}});
    ASSERT_EQ(results.size(), lab.exercises.size());
    for (const ExerciseResult& result : results)
      EXPECT_EQ(to_string(result.verdict), "pass") << result.id;
  }
  std::set<std::string> asked;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) asked.insert(line);
  std::remove(log.c_str());
  std::set<std::string> declared;
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      for (const Operation& operation : exercise.operations) declared.insert(operation.name);
    }
  }
  EXPECT_EQ(asked, declared);
}

}  // namespace
}  // namespace latent::grader
