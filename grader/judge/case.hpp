/// @file
/// One case of a property: everything random in it, from a seed and a list of sizes. The pair is
/// small enough to print, so that any failure can be replayed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/random.hpp"
#include "common/types.hpp"
#include "grader/wire/codec.hpp"

namespace latent::grader {

/// How a case draws its sizes.
enum class Sizing {
  kAny,
  kDifferent,  ///< Above their minimum and all different, so that every transpose shows.
  kSmallest,   ///< Each at its minimum.
};

/// Names one case.
struct CaseId {
  /// An even seed draws values from a coarse grid (multiples of 1/4), which are kinder to read.
  std::uint64_t seed = 0;
  std::vector<Index> sizes;  ///< What `Draw::size` returns, call by call; drawn where it ends.
  Sizing sizing = Sizing::kAny;

  /// @return "9c41f07be25d6a13-1x2", or with a final "-0" where no size is drawn.
  std::string token() const;
};

/// Draws a case's inputs and remembers them under their names, to show them on a failure.
class Draw {
 public:
  explicit Draw(CaseId id = {});

  /// A size from low to high. Asked in the same order in every run of a property.
  /// @param name  Its letter in the contract, for example "N".
  Index size(const std::string& name, Index low, Index high);

  /// Independent normal numbers times `scale`.
  Matrix matrix(const std::string& name, Index rows, Index cols, double scale = 1.0);
  RowVector row(const std::string& name, Index size, double scale = 1.0);
  Tensor4 tensor(const std::string& name, Index n, Index c, Index h, Index w, double scale = 1.0);
  DoubleVector doubles(const std::string& name, Index size, double scale = 1.0);

  /// A number from [low, high].
  double number(const std::string& name, double low, double high);

  /// A whole number from low to high.
  std::int64_t integer(const std::string& name, std::int64_t low, std::int64_t high);

  /// Shows an input that the property made itself.
  /// @return The input.
  template <typename T>
  const T& show(const std::string& name, const T& input) {
    std::vector<Value> values;
    encode(input, values);
    shown_.push_back({name, std::move(values)});
    return input;
  }

  /// For draws that the functions above do not offer; show what you make of it.
  Random& random() { return values_; }

  /// An input under its name.
  struct Shown {
    std::string name;
    std::vector<Value> values;
  };

  const std::vector<Shown>& shown() const { return shown_; }

  /// @return Whether the case depends on its seed.
  bool is_random() const { return is_random_; }

  /// @return The case, with the sizes that were drawn.
  const CaseId& id() const { return id_; }

 private:
  float value(double scale);

  CaseId id_;
  Random sizes_, values_;
  std::size_t sizes_drawn_ = 0;
  bool is_random_ = false;
  std::vector<Shown> shown_;
};

}  // namespace latent::grader
