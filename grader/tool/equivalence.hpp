/// @file
/// Whether two versions of an exercise answer alike: what the properties ask them, and thousands of
/// requests more that are made from those.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grader/judge/submission.hpp"

namespace latent::grader {

/// What the properties ask about an exercise, over a few seeds.
/// @param file  Where it may be written down.
std::vector<Request> recorded_requests(const Lab& lab, const Exercise& exercise,
                                       const std::string& file, std::uint64_t seed);

/// The first request on which two submissions differ: the recorded ones as they are, then ones with
/// other numbers and other shapes, `count` in all.
/// @return The request, fit to be shown; empty if all replies are the same.
std::string telling_request(Submission& one, Submission& other,
                            const std::vector<Request>& recorded, std::size_t count,
                            std::uint64_t seed);

}  // namespace latent::grader
