// 7.5 index_to_codes: the number, taken apart again.  Roughly 14 lines.
// The contract is in fsq.hpp. Try it: ./lab grade 7.5    Stuck: ./lab hint 7.5

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

Matrix index_to_codes(const std::vector<std::int64_t>& indices, const Levels& levels) {
  // How many hours, minutes and seconds are 45907 seconds? Which of % and / gives a digit, and
  // which one takes it away?
  // Which digit is the code 0? Is it in the middle for an even number of levels?
  return todo(indices, levels);
}

}  // namespace latent
