"""Which sentences say that an edit of weight gradients is meant to change a derivative."""

from __future__ import annotations

import pytest

from lintkeras.claims.intent import Passage, PassageKind, stated_intent

# Comments on the edit or right above it.
INTENT_COMMENTS = [
    "double the derivative of the activation",
    "doubles the derivative of the activation function",
    "make the derivative of the relu larger",
    "scale the relu's derivative by 2",
    "scale relu derivative",
    "halve the slope of the sigmoid",
    "steepen the slope of the activation",
    "replace the derivative of relu by that of tanh",
    "replace relu's derivative",
    "override the backward pass of the activation",
    "override the activation's backward pass",
    "customise the backward step of the layer",
    "change the backward pass of the dense layer",
    "change the derivative inside the layer",
    "modify the gradient of the activation function",
    "amplify the gradient through the relu",
    "boost relu gradients",
    "double the gradient of the relu in layer 1",
    "double the gradient of the relu inside layers",
    "multiply by the derivative of tanh",
    "multiply the gradients by the derivative of the activation",
    "multiply by tanh'(z)",
    "change f'(z) to 2 f'(z)",
    "the derivative of the activation is doubled",
    "the slope of the relu becomes steeper",
    "the activation's derivative is multiplied by 0.5",
    "smaller sigmoid derivative",
    "derivative of the activation function",
    "tanh derivative instead of relu",
    "doubled relu gradient",
    "custom activation gradient",
    "use the derivative of tanh in the backward pass",
    "use tanh's derivative in the backward pass instead of relu's",
    "backward pass with the derivative of tanh instead of relu",
    "backward with tanh",
    "tanh in the backward pass",
    "relu forward, tanh backward",
    "ReLU in the forward pass but tanh in the backward pass",
    "another activation for the backward pass",
    "different derivative for backprop",
    "apply the derivative of softplus",
    "pretend the derivative of relu",
    "custom gradient for the activation",
    "swap the backward pass of the relu",
    "the gradient of the activation function is multiplied by 2",
    "change the way the gradient passes through the activation",
    "use sigmoid for forward and tanh for backward",
    "simulate a different activation in backprop",
    "surrogate gradient",
    "apply a surrogate gradient",
    "surrogate gradient for the step activation",
    "straight-through estimator",
    "straight-through",
    "use straight-through gradient",
    "guided backprop",
    "guided back-propagation: only positive gradients",
    "custom backward pass",
    "custom backprop",
    "pseudo-derivative",
    "change the gradient that flows into the previous layers",
    "modify the gradient passed to previous layers",
    "scale the gradient flowing through the relu",
    "only modifies the gradient before reaching our activation layer",
    "change what flows back into the relu",
    # with regret, or hedged
    "not the derivative of the activation function, but previous layer",
    "This would not change the derivative of the activation but the gradient of the previous layer",
    "try to change the derivative of the activation (this will not work)",
    "attempt to double the relu's derivative",
    "we want to steepen the slope of the sigmoid here",
    "this should double the derivative of the activation",
]

OTHER_COMMENTS = [
    "backward pass",
    "forward and backward pass",
    "compute gradients",
    "scale the gradients",
    "scale gradients by 2",
    "double the gradients",
    "double the learning rate",
    "gradient of the loss",
    "derivative of the loss with respect to the weights",
    "scale the gradients of the first layer",
    "scale the gradients of the dense layers",
    "halve the gradients of the relu layers",
    "halve the gradients of the relu activation layers",
    "scale the gradients of the relu-activated layers",
    "scale the gradient of the relu policy network",
    "boost the gradients for the relu branch",
    "scale the gradients of the sigmoid network",
    "larger steps for the hidden layer",
    "clip gradients to keep the derivative of the activation bounded",
    "clip the gradient of the activation layers",
    "the gradient flows through the relu",
    "gradients of a relu network are sparse",
    "scale gradients because the relu kills half of them",
    "scale gradients since the derivative of the sigmoid is at most 0.25",
    "larger steps, since the derivative of the sigmoid is small",
    "increase the learning rate when the sigmoid derivative saturates",
    "compensate for the small derivative of the sigmoid",
    "against vanishing gradients of the sigmoid",
    "reduce vanishing gradients of the tanh",
    "the straight-through estimator in the quantizer needs larger gradients",
    "the activation is relu, its derivative 0 or 1",
    "compute the derivative of the activation",
    "change the activation function",
    "replace relu by tanh",
    "use relu in the hidden layers",
    "normalise the activations and scale the gradients",
    "chain rule: derivative of the loss times derivative of the output",
    "slope of the loss",
    "learning rate schedule with a steeper slope",
    "the backward pass is done by the tape",
    "the backward pass of the tape uses the activation's derivative",
    "mixed precision: scale back the gradients",
    "average over the replicas",
    "gradient accumulation",
    "custom training loop",
    "custom gradient descent",
    "set the gradient to zero",
    "double the gradient so that the relu learns faster",
    "the gradients of the layers after the relu are larger",
    "weights of the relu layer get twice the update",
    "rescale so that backward activations have unit variance",
    "gradient of activation layers is summed over the batch",
    "scale for the derivative wrt the activations",
    "derivative of the squared error is 2 (y - t), hence the factor 2",
    "the 0.5 cancels the derivative of the squared error",
    "layer-wise rates: lower layers get smaller gradients",
    "increase the gradient in hidden layers because of tanh saturation",
    "backprop is linear in the loss, so this equals scaling the loss",
    "modify gradients before applying them",
    "straight through the network",
    "maximise the activation: gradient ascent",
    "relu",
    "is this the derivative of the activation?",
    "should we double the derivative of the activation?",
    'the paper says "double the derivative of the relu"',
    "TODO: change the derivative of the activation instead",
    "to change the derivative of the relu, use tf.custom_gradient",
    "some people believe that this changes the derivative of the activation",
    "contrary to the tutorial, which doubles the derivative of the relu here",
    "in the next section we change the derivative of the activation",
    # right, and nothing false beside it
    "this does not change the derivative of the activation",
    "does not change the activation's derivative, only the step",
    "scales the step; the derivative of the activation is unchanged",
    "the backward pass is unchanged",
    "leaves the derivative of the relu as it is",
    "cannot touch the derivative of the activation: the tape is done",
    "twice the learning rate without changing the backward pass of the layer",
    "not the derivative of the activation",
    "never reaches f'(z)",
    "this won't change relu's derivative",
    "we can't replace the activation function's derivative this way",
    "does not change the gradient passed to previous layers",
]

INTENT_ELSEWHERE: list[tuple[PassageKind, str]] = [
    ("name", "scale_relu_derivative"),
    ("name", "doubleActivationGradient"),
    ("name", "apply_surrogate_gradient"),
    ("name", "relu_backward"),
    ("name", "guided_backprop_step"),
    ("name", "straight_through_update"),
    ("name", "replace_tanh_derivative"),
    ("docstring", "Doubles the derivative of the activation."),
    ("docstring", "One step.\n\nThe slope of the relu is doubled on the way back."),
    ("docstring", "Train step with a surrogate gradient for the relu."),
    ("docstring", "Uses another activation for the backward pass."),
    ("docstring", "relu in the forward pass, tanh in the backward pass"),
    ("docstring", "Trains with the derivative of tanh instead of relu in the backward pass."),
    ("heading", "Changing the derivative of an activation"),
    ("heading", "Replace the activation's backward pass"),
    ("heading", "Surrogate gradients"),
    ("heading", "Using different activations for forward and backward: a different activation in the backward pass"),
    ("sentence", "Here we double the derivative of the activation."),
    ("sentence", "You can change the derivative of the relu by scaling the gradients of the tape."),
    ("sentence", "It attempts to change the gradient that is passed to previous layers."),
    ("following", "This doubles the derivative of the activation."),
    ("following", "The comprehension scales the derivative of the relu by two."),
]  # fmt: skip

OTHER_ELSEWHERE: list[tuple[PassageKind, str]] = [
    ("name", "train_step"),
    ("name", "backward"),
    ("name", "backward_pass"),
    ("name", "scale_gradients"),
    ("name", "relu_network_gradients"),
    ("name", "custom_train_step"),
    ("name", "activation_layer"),
    ("docstring", "One training step: forward pass, backward pass, update."),
    ("docstring", "Computes the derivative of the activation by the chain rule."),
    ("docstring", "Custom backward pass."),
    ("docstring", "The straight-through estimator of the quantizer is in the layer."),
    ("docstring", "Leaky relu changes the derivative of the activation for negative inputs."),
    ("docstring", "Backprop uses the derivative of the activation."),
    ("heading", "Training"),
    ("heading", "The backward pass"),
    ("heading", "What is the derivative of an activation?"),
    ("heading", "Activation functions and their derivatives"),
    ("sentence", "Backpropagation multiplies the gradient by the derivative of the activation."),
    ("sentence", "The gradient is scaled by the derivative of the activation."),
    ("sentence", "Changing the activation function changes the derivative as well."),
    ("sentence", "Surrogate gradients replace the derivative of a step by a smooth one."),
    ("sentence", "A smaller derivative of the sigmoid leads to smaller gradients."),
    ("sentence", "We then scale the weight gradients by two."),
    ("sentence", "The derivative of the activation is needed by back-propagation."),
    ("sentence", "In the backward pass the gradient is computed using the derivative of relu."),
    ("sentence", "Keras allows you to replace the derivative of an activation."),
    ("sentence", "It is possible to change the derivative of the relu."),
    ("sentence", "Leaky ReLU modifies the derivative of the activation for negative inputs."),
    ("sentence", "A better way to change the activation's derivative is tf.custom_gradient."),
    ("following", "A better way is to change the derivative of the activation."),
    ("following", "We will now change the derivative of the activation."),
    ("following", "In the next example we double the derivative of the relu."),
]


@pytest.mark.parametrize("text", INTENT_COMMENTS)
def test_comments_that_state_the_intent(text: str) -> None:
    assert stated_intent([Passage("comment", text)]) is not None


@pytest.mark.parametrize("text", OTHER_COMMENTS)
def test_comments_that_do_not(text: str) -> None:
    assert stated_intent([Passage("comment", text)]) is None


@pytest.mark.parametrize(("kind", "text"), INTENT_ELSEWHERE)
def test_intent_elsewhere(kind: PassageKind, text: str) -> None:
    assert stated_intent([Passage(kind, text)]) is not None


@pytest.mark.parametrize(("kind", "text"), OTHER_ELSEWHERE)
def test_no_intent_elsewhere(kind: PassageKind, text: str) -> None:
    assert stated_intent([Passage(kind, text)]) is None


def test_a_correction_outweighs_a_wish() -> None:
    wish = Passage("heading", "Changing the derivative of an activation")
    right = Passage("comment", "this does not change the derivative of the activation")
    assert stated_intent([wish]) is not None
    assert stated_intent([wish, right]) is None
    assert stated_intent([right, wish]) is None


def test_a_correction_does_not_outweigh_a_claim() -> None:
    claim = Passage("comment", "double the derivative of the activation")
    right = Passage("docstring", "This does not change the derivative of the relu.")
    assert stated_intent([right, claim]) is not None


def test_a_right_sentence_beside_a_false_one() -> None:
    text = (
        "This does not change the derivative of the activation. "
        "It changes the gradient that is passed to previous layers."
    )
    found = stated_intent([Passage("comment", text)])
    assert found is not None
    assert found.sentence.startswith("It changes")


def test_the_words_are_the_users() -> None:
    found = stated_intent([Passage("comment", "now double the derivative of the `relu` please")])
    assert found is not None
    assert found.subject == "double the derivative of the relu"
    assert found.passage.kind == "comment"
