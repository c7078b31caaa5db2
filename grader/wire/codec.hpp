/// @file
/// Turns a function's arguments and result into values and back. Everything is deduced from the
/// function's type, so that a lab says no more than the function's name.
#pragma once

#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "grader/wire/value.hpp"

namespace latent::grader {

/// Hands out the values of a request or reply one after the other.
class ValueReader {
 public:
  explicit ValueReader(const std::vector<Value>& values) : values_(values) {}

  const Value& next() {
    if (at_ == values_.size()) throw WireError("fewer values than the function's type has");
    return values_[at_++];
  }

  void expect_end() const {
    if (at_ != values_.size()) throw WireError("more values than the function's type has");
  }

 private:
  const std::vector<Value>& values_;
  std::size_t at_ = 0;
};

namespace codec {

struct Anything {
  template <typename T>
  operator T() const;
};

template <typename T, typename... Fields>
constexpr std::size_t count_fields() {
  if constexpr (requires { T{std::declval<Fields>()..., Anything{}}; }) {
    return count_fields<T, Fields..., Anything>();
  } else {
    return sizeof...(Fields);
  }
}

/// The members of an aggregate as a tuple of references, outermost level only.
template <typename T>
auto fields(T& aggregate) {
  constexpr std::size_t count = count_fields<std::remove_const_t<T>>();
  static_assert(count >= 1 && count <= 8, "a contract's struct has one to eight members");
  // clang-format off
  if constexpr (count == 1) { auto& [a] = aggregate; return std::tie(a); }
  else if constexpr (count == 2) { auto& [a, b] = aggregate; return std::tie(a, b); }
  else if constexpr (count == 3) { auto& [a, b, c] = aggregate; return std::tie(a, b, c); }
  else if constexpr (count == 4) { auto& [a, b, c, d] = aggregate; return std::tie(a, b, c, d); }
  else if constexpr (count == 5) { auto& [a, b, c, d, e] = aggregate; return std::tie(a, b, c, d, e); }
  else if constexpr (count == 6) { auto& [a, b, c, d, e, f] = aggregate; return std::tie(a, b, c, d, e, f); }
  else if constexpr (count == 7) { auto& [a, b, c, d, e, f, g] = aggregate; return std::tie(a, b, c, d, e, f, g); }
  else { auto& [a, b, c, d, e, f, g, h] = aggregate; return std::tie(a, b, c, d, e, f, g, h); }
  // clang-format on
}

template <typename T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, float>)
    return Type::kFloat32;
  else if constexpr (std::is_same_v<T, double>)
    return Type::kFloat64;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return Type::kInt32;
  else
    return Type::kInt64;
}

template <typename T>
Value pack(Shape shape, const T* elements, std::size_t count) {
  Value value{type_of<T>(), std::move(shape), std::vector<std::byte>(count * sizeof(T))};
  if (count > 0) std::memcpy(value.bytes.data(), elements, value.bytes.size());
  return value;
}

template <typename T>
void unpack(const Value& value, T* elements) {
  if (!value.bytes.empty()) std::memcpy(elements, value.bytes.data(), value.bytes.size());
}

inline const Value& expect(const Value& value, Type type, std::size_t rank) {
  if (value.type != type || value.shape.size() != rank) {
    throw WireError("a value of another type or rank than the function has");
  }
  return value;
}

template <typename T>
inline constexpr bool kIsElement =
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int32_t> ||
    std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t>;

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::bool_constant<kIsElement<T>> {};

/// A list of a contract's structs: its length travels, then one struct after the other.
template <typename T>
struct IsList : std::false_type {};
template <typename T>
struct IsList<std::vector<T>> : std::bool_constant<!kIsElement<T> && std::is_aggregate_v<T>> {};

template <typename T>
inline constexpr bool kIsEigen = std::is_base_of_v<Eigen::PlainObjectBase<T>, T>;

}  // namespace codec

/// Appends the value, or the values of an aggregate's members, to `out`.
template <typename T>
void encode(const T& object, std::vector<Value>& out) {
  if constexpr (codec::kIsElement<T>) {
    out.push_back(codec::pack({}, &object, 1));
  } else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
    const auto number = static_cast<std::int32_t>(object);
    out.push_back(codec::pack({}, &number, 1));
  } else if constexpr (std::is_same_v<T, Tensor4>) {
    out.push_back(
        codec::pack(object.shape(), object.data(), static_cast<std::size_t>(object.size())));
  } else if constexpr (codec::IsVector<T>::value) {
    out.push_back(
        codec::pack({static_cast<std::int64_t>(object.size())}, object.data(), object.size()));
  } else if constexpr (codec::IsList<T>::value) {
    encode(static_cast<std::int64_t>(object.size()), out);
    for (const auto& item : object) encode(item, out);
  } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    std::apply([&out](const auto&... member) { (encode(member, out), ...); },
               codec::fields(object));
  } else {
    static_assert(codec::kIsEigen<T>, "this type cannot travel: see grader/wire/codec.hpp");
    Shape shape{object.rows(), object.cols()};
    if constexpr (T::IsVectorAtCompileTime) shape = {object.size()};
    out.push_back(
        codec::pack(std::move(shape), object.data(), static_cast<std::size_t>(object.size())));
  }
}

/// Reads one object of this type.
/// @throws WireError  if the values do not have the type's form.
template <typename T>
T decode(ValueReader& in) {
  using codec::expect;
  T object{};
  if constexpr (codec::kIsElement<T>) {
    codec::unpack(expect(in.next(), codec::type_of<T>(), 0), &object);
  } else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
    std::int32_t number = 0;
    codec::unpack(expect(in.next(), Type::kInt32, 0), &number);
    object = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, Tensor4>) {
    const Value& value = expect(in.next(), Type::kFloat32, 4);
    object = Tensor4(value.shape[0], value.shape[1], value.shape[2], value.shape[3]);
    codec::unpack(value, object.data());
  } else if constexpr (codec::IsVector<T>::value) {
    const Value& value = expect(in.next(), codec::type_of<typename T::value_type>(), 1);
    object.resize(static_cast<std::size_t>(value.shape[0]));
    codec::unpack(value, object.data());
  } else if constexpr (codec::IsList<T>::value) {
    // The length is the sender's word only: each struct takes a value at least, and those run out.
    for (auto left = decode<std::int64_t>(in); left > 0; --left)
      object.push_back(decode<typename T::value_type>(in));
  } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    std::apply(
        [&in](auto&... member) { ((member = decode<std::decay_t<decltype(member)>>(in)), ...); },
        codec::fields(object));
  } else {
    using Scalar = typename T::Scalar;
    const std::size_t rank = T::IsVectorAtCompileTime ? 1 : 2;
    const Value& value = expect(in.next(), codec::type_of<Scalar>(), rank);
    if constexpr (T::IsVectorAtCompileTime)
      object.resize(value.shape[0]);
    else
      object.resize(value.shape[0], value.shape[1]);
    codec::unpack(value, object.data());
  }
  return object;
}

/// What a function type says of arguments and result.
template <typename F>
struct Signature;

template <typename R, typename... Args>
struct Signature<R(Args...)> {
  using Result = R;

  /// The arguments of a call, converted as a call would convert them.
  template <typename... Given>
  static std::vector<Value> pack(const Given&... given) {
    static_assert(sizeof...(Given) == sizeof...(Args), "as many arguments as the function has");
    std::vector<Value> values;
    (encode<std::decay_t<Args>>(given, values), ...);
    return values;
  }

  /// Calls `function` with arguments that came as values.
  static std::vector<Value> call(R (*function)(Args...), const std::vector<Value>& arguments) {
    ValueReader in(arguments);
    // Braces, so that the arguments are read from left to right.
    std::tuple<std::decay_t<Args>...> decoded{decode<std::decay_t<Args>>(in)...};
    in.expect_end();
    std::vector<Value> out;
    encode(std::apply(function, decoded), out);
    return out;
  }

  static R result(const std::vector<Value>& values) {
    ValueReader in(values);
    R object = decode<R>(in);
    in.expect_end();
    return object;
  }
};

}  // namespace latent::grader
