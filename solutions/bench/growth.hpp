/// @file
/// How time and memory grow with the input.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "race.hpp"

namespace latent {

/// Prints, for each sweep whose name contains `only`, times at all sizes and the fitted exponent.
/// @param seed  Of all inputs.
/// @param only  Part of a name.
/// @param race  How to time.
/// @return      The same figures.
nlohmann::ordered_json print_growth_of_time(std::uint64_t seed, const std::string& only,
                                            const Race& race);

/// Prints the peak memory of nearest_code at growing inputs, each in a process of its own.
/// @param large  Also 2^20 rows and 2^18 codes, which takes minutes.
/// @return       The same figures.
nlohmann::ordered_json print_growth_of_memory(bool large);

/// What the process does that is watched.
/// @param search  What to search for.
/// @return        What main returns: 0 after its peak, in KiB, and its seconds have been printed.
int search_and_tell(const Search& search);

}  // namespace latent
