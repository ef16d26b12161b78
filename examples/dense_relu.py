"""The layer that everybody writes: one activation, its own derivative. Nothing to report."""

import tensorflow as tf

model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(16, activation="relu"),
        tf.keras.layers.Dense(3, activation="softmax"),
    ]
)
probabilities = model(tf.random.normal((4, 6)))
