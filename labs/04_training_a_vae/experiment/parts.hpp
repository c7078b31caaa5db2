/// @file
/// The parts of `./lab run 4`, one file each: training, pictures, the exact law, a sweep and models
/// that are broken on purpose, schedules and likelihoods. experiment.cpp puts them together.
#pragma once

#include <functional>

#include "common/dataset.hpp"
#include "common/experiment.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/training.hpp"
#include "training_a_vae.hpp"

namespace latent::run04 {

// ---- training.cpp -------------------------------------------------------------------------------

/// Streams of the seed; steps of a training count from 0 in the first.
enum Stream : std::uint64_t { kWeights = 1ULL << 40, kPrior = 2ULL << 40, kChoice = 3ULL << 40 };

constexpr Index kBatch = 64;
constexpr double kActive = 0.01;  // variance of mu from which a unit counts as active

Matrix through(const Matrix& x, const Layer& layer);

Matrix decode(const Vae& model, const Matrix& z);

/// What lies between 0 and 1 for a decoder that puts out logits.
Matrix sigmoid(const Matrix& logits);

NamedTensors tensors_of(Vae& model);

Vae initial_model(Index size, Index hidden, Index latent, std::uint64_t seed);

/// What is trained, how, and what may be broken.
struct Plan {
  std::string name;
  std::int64_t steps = 0;
  double rate = 2e-3;
  std::function<double(std::int64_t)> beta;
  bool bernoulli = false;      ///< The decoder puts out logits instead of means.
  bool reconstruction = true;  ///< Whether that term takes part.
  bool noise = true;           ///< Without, z is mu: an autoencoder.
};

std::function<double(std::int64_t)> always(double beta);

/// The two terms of a loss and its gradient.
struct Terms {
  double reconstruction = 0.0, kl = 0.0;
  ElboGradients gradient;
};

Terms terms_of(const VaePass& pass, const Matrix& x, double beta, bool bernoulli);

struct Trained {
  Vae model;
  Series reconstruction, kl;
};

/// Noise for a pass: none for an autoencoder.
Matrix noise_for(const Matrix& x, const Vae& model, Random& random, bool wanted = true);

Trained train(Run& run, const Matrix& x, Vae model, const Plan& plan);

/// All of the data through a model once.
struct Look {
  VaePass pass;
  Terms terms;
};

Look look_at(const Vae& model, const Matrix& x, std::uint64_t seed, bool bernoulli = false,
             bool noise = true);

std::string yes(bool met);

Matrix prior(const Run& run, Index count, Index latent);

// ---- what the run shows -------------------------------------------------------------------------

/// A VAE that draws, and what its latents stand for: pictures.cpp.
void pictures(Run& run, Report& report, const ImageSplit& data);

/// The latent space of an autoencoder beside that of a VAE: pictures.cpp.
void organised(Run& run, Report& report, const ImageSplit& data);

/// A linear VAE against the law that it must reach: law.cpp.
void law(Run& run, Report& report);

/// Four weights of the KL: sweep.cpp.
void sweep(Run& run, Report& report, const Matrix& x);

/// Three VAEs that are broken on purpose, and what you said would happen: sweep.cpp.
void broken(Run& run, Report& report, const Matrix& x);

/// The KL let in later: choices.cpp.
void annealing(Run& run, Report& report, const ImageSplit& data);

/// Bernoulli against Gaussian on black and white: choices.cpp.
void likelihoods(Run& run, Report& report, const ImageSplit& data);

/// Two equally likely pictures, one answer: choices.cpp.
void blur(Run& run, Report& report);

}  // namespace latent::run04
