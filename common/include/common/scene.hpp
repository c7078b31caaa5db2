/// @file
/// Pictures drawn by numbers: something to encode where there is no photograph at hand.
#pragma once

#include "common/image.hpp"
#include "common/random.hpp"

namespace latent {

/// Draws a scene: a background of two colours, shapes with hard and soft edges in front of it, and
/// on everything gradients, stripes, checks or cloudy noise. Statistics are those that make
/// photographs compressible: smooth almost everywhere, edges here and there, detail at every size.
/// @param random  Decides everything; the same state draws the same scene.
/// @param height  Rows, from 1 to 16,384.
/// @param width   Columns, likewise.
/// @return        Three channels.
/// @throws std::invalid_argument  if a side is out of range.
Image draw_scene(Random& random, Index height, Index width);

}  // namespace latent
