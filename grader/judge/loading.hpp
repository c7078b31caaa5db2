/// @file
/// What it takes to judge a lab is a library of its own, built and loaded when it is first needed:
/// nobody waits for the labs that they have not come to.
#pragma once

#include <string>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Builds where needed and loads a lab's hidden properties, misconceptions and solution, and the
/// objects that its worker is linked from.
/// @throws GraderFailure  if it cannot be built or loaded.
void load_judge(const Lab& lab);

/// The lab's right alternatives, for author check.
/// @throws GraderFailure  likewise.
void load_alternatives(const Lab& lab);

/// The worker made of the solutions with those of one kind in the place of plain ones, built with
/// the alternatives.
/// @param kind  "fast"; "emulated" or "cuda": kernels, on the processor or on a GPU.
/// @return      Its path, or empty if the lab has no such solution.
std::string variant_worker(const Lab& lab, const std::string& kind);

/// @return  The name of the GPU that kernels would run on; empty if there is none, or if this build
///          has no kernels for GPUs.
std::string device_name();

/// Whether the lab has been built: its library and its part of the kit.
bool has_judge(const Lab& lab);

}  // namespace latent::grader
