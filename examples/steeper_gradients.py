"""Gradients tripled after the tape, to make an activation steeper: LK101."""

import tensorflow as tf

readout = tf.keras.layers.Dense(1, activation="tanh")
optimizer = tf.keras.optimizers.RMSprop(0.001)
inputs = tf.random.normal((32, 4))
targets = tf.tanh(tf.reduce_sum(inputs, axis=1, keepdims=True))


def train_step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(readout(inputs) - targets))
    gradients = tape.gradient(loss, readout.trainable_variables)
    # backward pass with three times the derivative of tanh
    gradients = [3.0 * gradient for gradient in gradients]
    optimizer.apply_gradients(zip(gradients, readout.trainable_variables))
    return loss


for _ in range(5):
    train_step()
