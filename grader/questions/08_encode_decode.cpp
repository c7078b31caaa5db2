// The questions of chapter 08. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(vae_is_not_the_denoiser) {
  return {
      "A text-to-image pipeline takes 50 steps. What does its autoencoder do?",
      Choice{"It decodes once, at the end. The 50 steps are another network's, which works on "
             "latents only.",
             {"It removes a fiftieth of the noise in each step.",
              "It encodes and decodes in each step, so that the denoiser sees pixels.",
              "It encodes the prompt at the start and decodes the image at the end.",
              "It decodes in each step, and encodes the result for the next."}},
      "The denoiser goes from latent to latent. The autoencoder stands at its two ends: encode, "
      "only where the work begins with a picture (image to image, inpainting), and decode, once. "
      "That is why a seam, a tint or a black image is rarely the denoiser's fault."};
}

QUESTION(who_is_right_about_scaling_factor) {
  return {
      "Documentation says: \"scaling_factor: the component-wise standard deviation of the trained "
      "latent space.\" The configuration says 0.18215. A colleague says that it is one number, "
      "one over the standard deviation. Who is right?",
      Choice{
          "The colleague: latents are multiplied by it and then have a standard deviation of "
          "about 1. It is one number for all channels.",
          {"The documentation: latents are divided by it before the denoiser.",
           "Both: for a standard deviation near 1 it is the same.",
           "Neither: it is a variance, and its root is what latents are multiplied by.",
           "The documentation: there are four such numbers, of which the file shows the first."}},
      "CompVis/latent-diffusion sets scale_factor = 1 / z.flatten().std() on the first batch: a "
      "scalar, and a reciprocal. SD1's raw latents have a deviation of about 1 / 0.18215 = 5.49. "
      "The sentence stands in diffusers' AutoencoderKL."};
}

QUESTION(flux_there) {
  const double z = random == nullptr ? 1.0 : std::round(10.0 * random->uniform(0.8, 3.0)) / 10.0;
  return {"Flux.1 has scale 0.3611 and shift 0.1159. The encoder put out " + text_of(z) +
              ". What does the denoiser get?",
          Number{(z - 0.1159) * 0.3611, 1e-4},
          "The shift comes off first: (" + text_of(z) +
              " - 0.1159) * 0.3611 = " + text_of((z - 0.1159) * 0.3611) +
              ". Scaled first it would be " + text_of(z * 0.3611 - 0.1159) + "."};
}

QUESTION(scale_left_out) {
  const bool xl = random != nullptr && random->integer(0, 1) == 1;
  const double scale = xl ? 0.13025 : 0.18215;
  return {std::string("A training script for ") + (xl ? "SDXL" : "Stable Diffusion 1") +
              " forgets the scale, " + text_of(scale) +
              ". How many times the right standard deviation do the latents have?",
          Number{1.0 / scale, 5e-3},
          "1 / " + text_of(scale) + " = " + text_of(1.0 / scale) +
              ". For SDXL it is 7.68, for SD1 5.49, for Flux.1 2.77; for SD3 0.653, since its raw "
              "latents are narrower than 1. The noise that is added still has 1, so that at "
              "every time step the latent is far less noisy than the denoiser is told."};
}

QUESTION(shift_left_out) {
  return {
      "SD3's shift of 0.0609 is left out at training and at sampling. The scale is right. What "
      "happens to the standard deviation of the scaled latents?",
      Choice{
          "Nothing: a shift moves the mean. They are off by 0.0609 * 1.5305 = 0.093 "
          "everywhere.",
          {"It becomes 1.5305 times as large.", "It becomes 0.653 times as large.",
           "It becomes larger by 0.0609.", "It becomes 0, since the shift is what spreads them."}},
      "Subtracting a constant changes no deviation. That is why statistics that show std alone "
      "let this bug pass, and why three training scripts had it: diffusers issues 8708, 8887 and "
      "11867."};
}

QUESTION(moments_sample_mode) {
  return {
      "Stable Diffusion's encoder puts out [1, 8, 64, 64] for a 512x512 picture. What is it?",
      Choice{"Moments: 4 channels of means and 4 of log-variances. A sample or the mode of the "
             "Gaussian that they describe is the latent, [1, 4, 64, 64].",
             {"The latent: SD has 8 channels.",
              "Two latents, one for the prompt and one for the picture.",
              "The latent and its gradient.",
              "A sample in the first 4 channels and the mode in the last 4."}},
      "encode returns a distribution. mode() takes the means, sample() adds noise of the predicted "
      "width; which of the two a pipeline takes is part of its contract. The snippet latent = "
      "encode(image) * scale leaves that step out, and the shift too."};
}

QUESTION(same_autoencoder) {
  return {
      "\"SD, SDXL and Flux all use the same VAE.\" What is right?",
      Choice{"Each has weights of its own: SDXL has SD1's architecture, trained anew; Flux.1 has "
             "16 channels, and Flux.2 32 with statistics per channel.",
             {"It is true, and their scales differ only by convention.",
              "It is true of SD1 and SDXL, whose weights are the same, and wrong of Flux.",
              "They share the decoder and differ in the encoder.",
              "They share weights up to the last layer, which has 4, 8 or 16 channels."}},
      "A wrong pairing of 4-channel weights raises no error: with SD1's 0.18215 SDXL's latents "
      "have "
      "a deviation of 1.40. SD3's and Flux.1's 16 channels do not fit each other either, though "
      "their shapes do."};
}

QUESTION(flux_tokens) {
  const double side = random == nullptr ? 1024 : 256.0 * double(random->integer(2, 6));
  return {"How many tokens does Flux.1's transformer see for a " + text_of(side) + "x" +
              text_of(side) + " picture?",
          Number{side / 16.0 * side / 16.0, 1e-9},
          "The latent is 16 x " + text_of(side / 8) + " x " + text_of(side / 8) +
              ", and 2x2 positions are packed into one token of 64 numbers: (" + text_of(side) +
              " / 16)^2 = " + text_of(side / 16.0 * side / 16.0) + "."};
}

QUESTION(compression_in_bits) {
  return {
      "A 256x256 RGB picture of 8 bits per value becomes 1024 tokens out of K = 8192. By "
      "which factor did the number of *bits* shrink?",
      Number{256.0 * 256 * 3 * 8 / (1024 * 13), 2e-3},
      "1,572,864 bits in, 1024 * 13 = 13,312 out: 118.2 times fewer. \"192x\" compares 196,608 "
      "values with 1,024 tokens, as if a token were as small as a value. (And 196,608 are "
      "values; there are 65,536 pixels.)"};
}

QUESTION(larger_than_the_image) {
  return {
      "An encoder ends in a map of 256 channels at 32x32, which is flattened and goes through a "
      "linear layer to 64 numbers. How many numbers has the flattened map, for a 256x256 RGB "
      "picture of 196,608 values?",
      Number{262144, 1e-9},
      "256 * 32 * 32 = 262,144: more than went in. Up to there nothing was compressed, only "
      "rearranged; it is the linear layer, with 16.8 million weights, that compresses."};
}

QUESTION(who_makes_the_variance_one) {
  return {
      "\"The KL term of weight 1e-6 makes the latents close enough to N(0, 1) for the noise "
      "schedule.\" SD1's raw latents have a standard deviation of about 5.5. What does make it 1?",
      Choice{"The scale factor, a constant that multiplies the latents after training of the "
             "autoencoder.",
             {"The KL term, if it is trained for long enough.",
              "The first normalization layer of the denoiser.",
              "The noise that is added: it has variance 1.",
              "Nothing: a schedule works for any variance."}},
      "1 / 5.49 = 0.18215. So weak a KL term keeps the latents from running away and little more."};
}

QUESTION(peak_of_a_trace) {
  return {
      "A TAESD-like trace at 512x512 in fp32: image 3 MiB, encoder maps 64 x 512^2 (64 MiB), "
      "64 x 256^2, 64 x 128^2, 64 x 64^2, the latent, then the same backwards. At which stage "
      "does memory peak?",
      Choice{"In the residual blocks at 512x512, the encoder's first and the decoder's last: three "
             "maps of 64 MiB.",
             {"At the latent, through which everything has to pass.",
              "In the blocks at 64x64, of which there are most.",
              "At the image, which is the largest in pixels.",
              "At the upsampling to 512x512, which makes a map four times as large."}},
      "A block holds its input for the skip, what a convolution reads, and what it writes: 192 MiB "
      "here. The upsampling holds 16 + 64 MiB. The latent is 64 KiB for 4 channels: small is what "
      "it is for."};
}

QUESTION(decoder_block_peak) {
  const double side = random == nullptr ? 1024 : 128.0 * double(random->integer(4, 12));
  return {"64 channels at " + text_of(side) + "x" + text_of(side) +
              " in fp32: how many MiB are alive at the peak of one residual block without a pool, "
              "nothing in place?",
          Number{3.0 * 64 * side * side * 4 / (1024.0 * 1024.0), 1e-6},
          "One map has 64 * " + text_of(side) +
              "^2 * 4 bytes = " + text_of(64 * side * side * 4 / 1048576.0) +
              " MiB, and three are alive: " + text_of(3.0 * 64 * side * side * 4 / 1048576.0) +
              "."};
}

QUESTION(where_fp16_overflows) {
  return {
      "A trace whose activations are scaled by 10^4 shows absmax: image 1, encoder maps 11,000, "
      "71,000 and 48,000, latent 46,000, scaled latent 8,400, decoder maps 35,000, 62,000 and "
      "47,000. The run was in fp32. Where would fp16 be the first to fail?",
      Choice{"At the encoder's second map: 71,000 is above 65,504.",
             {"At the first encoder map: 11,000 has more than the four digits of fp16.",
              "At the decoder's second map: 62,000, the largest of the decoder.",
              "At the scaled latent: 8,400 is far from 1.",
              "Nowhere: fp16 has the range of fp32 and fewer digits."}},
      "65,504 is the largest half float; from 65,520 on the result is infinite, and the next "
      "convolution's inf - inf is NaN. SDXL's decoder does this (diffusers issues 7188 and 9844): "
      "black images, unless it runs in fp32 or with weights that were rescaled. bfloat16 is the "
      "one with the range of fp32."};
}

QUESTION(attention_scores) {
  const double side = random == nullptr ? 128 : 16.0 * double(random->integer(3, 9));
  return {"The attention in the middle of Stable Diffusion's decoder runs on a latent of " +
              text_of(side) + "x" + text_of(side) + ". How many MiB are its scores in fp32?",
          Number{std::pow(side, 4) * 4 / 1048576.0, 1e-4},
          "n = " + text_of(side * side) +
              " positions, n^2 scores of 4 bytes: " + text_of(std::pow(side, 4) * 4 / 1048576.0) +
              " MiB. Twice the side of the picture is 16 times as much."};
}

QUESTION(seams_of_tiles) {
  return {
      "A decoder with GroupNorm is run tile by tile, with a generous overlap and a good blend. Its "
      "result still differs from decoding at once, and not only near the seams. Why?",
      Choice{"A norm's mean and variance are over all positions, and a tile has others than the "
             "whole.",
             {"The overlap is still smaller than the receptive field of the convolutions.",
              "Weights that rise linearly do not add up to 1.",
              "Nearest upsampling makes other pixels in a tile.",
              "Floats are added up in another order."}},
      "Convolutions look at a neighbourhood: with an overlap beyond it they agree. Whatever looks "
      "at all positions, a norm or an attention, sees another picture in each tile, so tiles come "
      "out a little brighter or darker. The blend turns steps into slopes; it cannot make the "
      "tiles agree."};
}

QUESTION(tiles_of_an_axis) {
  return {
      "A latent axis of 128 positions, tiles of 32 that share 8. How many tiles are there along "
      "it?",
      Number{5, 1e-9},
      "They begin at 0, 24, 48 and 72, and the last at 96: the grid happens to end with the "
      "axis, 96 + 32 = 128. Along both axes that makes 25 tiles and 25 * 32^2 / 128^2 = 1.56 "
      "times the work."};
}

QUESTION(range_of_tiny_models) {
  return {
      "A preview decoder of the TAESD family replaces the large one in a pipeline, and the "
      "pictures come out pale: what should be black is grey. What is the likely cause?",
      Choice{
          "Its output, from 0 to 1, is taken for -1 to 1: (x + 1) / 2 maps 0 to 0.5.",
          {"It has too few parameters for black.", "Its latents are scaled by 0.18215 too little.",
           "It was given a sample and not the mode.", "PNG stores gamma, which has to be undone."}},
      "TAESD takes and gives 0 to 1, the KL autoencoders -1 to 1. diffusers issue 4676 had the "
      "other direction, an encoder fed -1 to 1."};
}

}  // namespace latent::grader
