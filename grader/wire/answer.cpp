#include "grader/wire/answer.hpp"

#include <exception>

#include "common/require.hpp"
#include "grader/wire/eigen_misuse.hpp"

namespace latent::grader {

Reply answer(const Operation& operation, const std::vector<Value>& arguments, std::string& what) {
  try {
    return {Outcome::kValue, operation.call(arguments), {}};
  } catch (const NotAttempted&) {
    return {Outcome::kNotAttempted, {}, {}};
  } catch (const EigenMisuse& e) {
    what = std::string("Eigen stopped, because this does not hold: ") + e.what();
    return {Outcome::kMisused, {}, {}};
  } catch (const std::invalid_argument& e) {
    what = std::string("refused: ") + e.what();
    return {Outcome::kRefused, {}, {}};
  } catch (const std::exception& e) {
    what = std::string("exception: ") + e.what();
  } catch (...) {
    what = "an exception that is no std::exception";
  }
  return {Outcome::kThrew, {}, {}};
}

}  // namespace latent::grader
