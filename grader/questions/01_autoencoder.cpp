// The graded questions of lab 01. Numbers are drawn only where `random` is given.

#include <cmath>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

std::int64_t draw(Random* random, std::int64_t printed, std::int64_t low, std::int64_t high) {
  return random == nullptr ? printed : random->integer(low, high);
}

std::string text(std::int64_t number) {
  return std::to_string(number);
}

}  // namespace

QUESTION(why_compress) {
  return {
      "Why does an image generator first compress images into a latent space?",
      Choice{"Neighbouring pixels predict one another, so far fewer numbers suffice, and every "
             "step of the generator works on these few.",
             {"A latent of 64 numbers for 196,608 values keeps 0.03 % of the information, and "
              "the rest is noise.",
              "A latent can be stored in fewer bits per value than an image's 8.",
              "Gradients cannot be computed through as many values as an image has."}},
      "Redundancy makes it possible and cost makes it worth while; that a distribution over few "
      "coordinates is easier to learn comes on top. The share of values that is kept is no "
      "share of information: a good latent keeps nearly everything that matters in very few "
      "numbers, a bad one loses it in many, and latents usually have more bits per value."};
}

QUESTION(slider) {
  const std::int64_t side = 32 * draw(random, 8, 4, 20), latent = 16 * draw(random, 4, 2, 12);
  const std::int64_t values = 3 * side * side;
  return {"A colour image of " + text(side) + " x " + text(side) + " is encoded into a vector of " +
              text(latent) + " numbers. How many times fewer values are that?",
          Number{static_cast<double>(values) / static_cast<double>(latent), 1e-3},
          "3 x " + text(side) + " x " + text(side) + " = " + text(values) + " values, divided by " +
              text(latent) + ". The channels count: values are not pixels, of which there are " +
              text(side * side) + "."};
}

QUESTION(tokens_in_bits) {
  const std::int64_t grid = 8 * draw(random, 4, 2, 6), power = draw(random, 13, 9, 16);
  const std::int64_t tokens = grid * grid, codes = std::int64_t{1} << power;
  const double bits = 1572864.0 / static_cast<double>(tokens * power);
  return {"A tokenizer turns a 256 x 256 image with 8 bits per value into " + text(grid) + " x " +
              text(grid) + " tokens of a codebook with " + text(codes) +
              " entries. Its poster "
              "divides 196608 values by " +
              text(tokens) +
              " tokens. How many times smaller are "
              "the tokens in bits?",
          Number{bits, 1e-3},
          "196,608 x 8 = 1,572,864 bits go in. A token carries log2 " + text(codes) + " = " +
              text(power) + " bits, so " + text(tokens * power) +
              " bits come out. The often quoted "
              "192 of a 32 x 32 grid counts a token of 13 bits as if it were one 8-bit value; in "
              "bits it is 118.2."};
}

QUESTION(which_layer_compresses) {
  const std::int64_t channels = 64 * draw(random, 4, 4, 9);
  const std::int64_t map = channels * 1024, weights = map * 64;
  return {
      "An encoder takes a 3 x 256 x 256 image through strided convolutions to a feature map of " +
          text(channels) +
          " x 32 x 32, flattens it, and maps it to 64 numbers with one linear "
          "layer. The convolutions are drawn as the part that compresses. How many weights, "
          "without the biases, does the linear layer have?",
      Number{static_cast<double>(weights), 1e-6},
      text(map) + " x 64. The feature map has " + text(map) +
          " values, more than the 196,608 of "
          "the image: up to there nothing has become smaller. All of the compression, and most "
          "of the parameters, sit in the last layer, which is why encoders of image generators "
          "stay convolutional and keep a small map as their latent."};
}

QUESTION(limitation) {
  return {
      "What is the main limitation of a plain autoencoder, as a generative model?",
      Choice{"It has no sampler: nothing says which latents are valid, so there is no "
             "distribution to draw them from.",
             {"It memorises its training data and cannot reconstruct anything else.",
              "Its latent has fewer dimensions than the data, so that reconstructions are never "
              "exact.",
              "Its gradients vanish in the bottleneck, which limits the depth of the encoder."}},
      "The loss rewards reconstruction and says nothing of where latents lie. \"It memorises\" is "
      "often said and is something else: with a narrow latent and enough data it reconstructs "
      "unseen data of the same kind quite well. It still cannot make any up."};
}

QUESTION(midpoint) {
  return {
      "You encode two faces and decode the point halfway between their latents. What does the "
      "training of a plain autoencoder promise about the picture?",
      Choice{"Nothing: the loss never saw that latent, and puts no demand on the decoder there.",
             {"A blend of both faces, since the decoder is continuous.",
              "The mean of both pictures, pixel by pixel, since the loss is a squared error.",
              "A face of the training set, the one whose latent is nearest."}},
      "It may be a fair blend or nonsense. Continuity only says that close latents decode to "
      "close pictures, and the two ends need not be close. ./lab run 1 measures it: how many "
      "decoded midpoints lie farther from the data than a datum usually does from its nearest "
      "neighbour?"};
}

QUESTION(reduction) {
  const std::int64_t side = draw(random, 28, 12, 64), features = side * side;
  return {
      "A model is trained with the sum over features of the squared error, averaged over the "
      "batch, plus a second loss. Someone replaces the first term by torch's default, the mean "
      "over all elements of a batch of " +
          text(side) + " x " + text(side) +
          " grey images. By "
          "which factor does the second loss now weigh more against the first?",
      Number{static_cast<double>(features), 1e-6},
      "Reduction::kMean divides by D = " + text(features) +
          " more than Reduction::kBatchMean. In "
          "a VAE, whose second loss is the KL, this is a beta " +
          text(features) +
          " times as "
          "large without anybody having chosen it; AntixK/PyTorch-VAE#11 and podgorskiy/VAE#1 are "
          "reports of it."};
}

QUESTION(first_adam_step) {
  const std::int64_t nines = draw(random, 3, 2, 4);
  const double beta2 = 1.0 - std::pow(10.0, -static_cast<double>(nines));
  const std::string written = "0." + std::string(static_cast<std::size_t>(nines), '9');
  return {"Adam runs with beta1 = 0.9 and beta2 = " + written +
              ", but without bias correction. How "
              "many learning rates long is its first step, if epsilon does not matter?",
          Number{0.1 / std::sqrt(1.0 - beta2), 2e-3},
          "m = 0.1 g and v = (1 - beta2) g^2, so the step is 0.1 / sqrt(1 - beta2) learning rates, "
          "whatever g is. With the usual 0.999 that is 3.162, and the correction makes it 1."};
}

QUESTION(asymmetric_padding) {
  return {
      "Stable Diffusion's encoder halves an image with k = 3, s = 2 and zeros on the right and "
      "at the bottom only. A port pads one row and one column of zeros on every side instead. "
      "What shows the mistake?",
      Choice{"The values: all shapes agree, but every window lies one pixel further up and left.",
             {"The shape: the port returns one row and one column more.",
              "The number of parameters: the port needs a larger kernel.",
              "Nothing: zeros do not change a sum, wherever they are."}},
      "For an even side n, (n + 1 - 3) / 2 and (n + 2 - 3) / 2 round down to the same number. It "
      "shipped in a port of FLUX.2 (VincentGourbin/flux-2-swift-mlx, pull request 106), and "
      "showed as a grey border. A ramp as the test image would have shown it at once."};
}

}  // namespace latent::grader
