/// @file
/// Steps a whole model by a rule for one tensor: the learner's `adam_step` of lab 01.
#pragma once

#include "common/require.hpp"
#include "common/training.hpp"

namespace latent {

/// The weights and biases of layers, for an optimizer and a checkpoint.
/// @tparam Layer  Of lab 01: weight and bias.
/// @param layers  By name; the layers must outlive the result.
/// @return        "NAME.weight" and "NAME.bias" of each.
template <typename Layer>
NamedTensors layers_by_name(const std::vector<std::pair<std::string, Layer*>>& layers) {
  NamedTensors all;
  for (const auto& [name, layer] : layers) {
    all.push_back({name + ".weight", &layer->weight});
    all.push_back({name + ".bias", &layer->bias});
  }
  return all;
}

/// What the rule remembers of each parameter of a model, and the loop over them:
///
///     Optimizer adam(adam_step, tensors_of(model));
///     Training training(run, {"vae", 5000, 64}, adam.tensors());
///     while (training.next()) {
///       ...
///       adam.step(tensors_of(gradient), training.step(), {.learning_rate = 1e-3});
///
/// @tparam State    `AdamState`: parameter, first_moment and second_moment.
/// @tparam Options  `AdamOptions`.
template <typename State, typename Options>
class Optimizer {
 public:
  /// State, gradient, step counted from 1, options; returns the state after the step.
  using Rule = State (*)(const State&, const Matrix&, std::int64_t, const Options&);

  /// @param rule        `adam_step`.
  /// @param parameters  Of the model, which must outlive this. Nothing is remembered of them yet.
  Optimizer(Rule rule, NamedTensors parameters)
      : rule_(rule), parameters_(std::move(parameters)), states_(parameters_.size()) {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const auto like = parameters_[i].matrix();
      states_[i].first_moment = Matrix::Zero(like.rows(), like.cols());
      states_[i].second_moment = Matrix::Zero(like.rows(), like.cols());
    }
  }

  /// Changes every parameter by its gradient.
  /// @param gradients  In the order of the parameters, each of the shape of its parameter.
  /// @param step       Counted from 1.
  /// @param options    For example the learning rate.
  /// @throws std::invalid_argument  if number or shapes differ from those of the parameters.
  void step(const NamedTensors& gradients, std::int64_t step, const Options& options) {
    require_size(std::ssize(gradients), std::ssize(parameters_), "Optimizer::step: gradients");
    for (std::size_t i = 0; i < states_.size(); ++i) {
      auto parameter = parameters_[i].matrix();
      const auto gradient = gradients[i].matrix();
      require(shape_of(gradient) == shape_of(parameter),
              "Optimizer::step: expected the gradient of " + parameters_[i].name + " to be " +
                  shape_of(parameter) + ", got " + shape_of(gradient));
      // The model's tensor is the parameter; between steps there is no second copy to forget.
      states_[i].parameter = parameter;
      states_[i] = rule_(states_[i], gradient, step, options);
      require(shape_of(states_[i].parameter) == shape_of(parameter),
              "Optimizer::step: " + parameters_[i].name + " was " + shape_of(parameter) +
                  " and is " + shape_of(states_[i].parameter) + " after the rule");
      parameter = states_[i].parameter;
    }
  }

  /// @return  All that a checkpoint needs: the parameters, and with ".m" and ".v" after their names
  ///          what is remembered of them.
  NamedTensors tensors() {
    NamedTensors all;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      all.push_back(parameters_[i]);
      all.push_back({parameters_[i].name + ".m", &states_[i].first_moment});
      all.push_back({parameters_[i].name + ".v", &states_[i].second_moment});
    }
    return all;
  }

 private:
  Rule rule_;
  NamedTensors parameters_;
  std::vector<State> states_;
};

}  // namespace latent
