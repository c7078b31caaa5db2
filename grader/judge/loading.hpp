/// @file
/// What it takes to judge a lab is a library of its own, built and loaded when it is first needed:
/// nobody waits for the labs that they have not come to.
#pragma once

#include <string>
#include <vector>

#include "grader/wire/dispatch.hpp"

namespace latent::grader {

/// Builds where needed and loads a lab's hidden properties, misconceptions and solution, and the
/// objects that its worker is linked from.
/// @throws GraderFailure  if it cannot be built or loaded.
void load_judge(const Lab& lab);

/// The lab's right alternatives, for author check.
/// @throws GraderFailure  likewise.
void load_alternatives(const Lab& lab);

/// The exercises that have a solution of some kind beside the plain one.
/// @param kind  "fast", or "emulated" and "cuda": kernels, on the processor or on a GPU.
/// @return      Their ids, in order.
std::vector<std::string> exercises_with(const Lab& lab, const std::string& kind);

/// The worker made of the lab's solutions, with those of one kind in the place of plain ones; built
/// where needed.
/// @return  Its path, or empty if the lab has none of that kind.
/// @throws GraderFailure  if it cannot be built.
std::string variant_worker(const Lab& lab, const std::string& kind);

/// @param name  A lab's, or "common", for what all need.
/// @param kind  "emulated" or "cuda".
/// @return      The path of a library of kernels, built where needed.
/// @throws GraderFailure  if it cannot be built.
std::string kernel_library(const std::string& name, const std::string& kind);

/// @return  The name of the GPU that kernels would run on; empty if there is none, or no nvcc with
///          which to compile them.
std::string device_name();

/// Whether the lab has been built: its library and its part of the kit.
bool has_judge(const Lab& lab);

}  // namespace latent::grader
