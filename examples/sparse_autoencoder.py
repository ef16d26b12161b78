"""A sparse autoencoder that wants relu forward and the slope of tanh backward: LK101."""

import tensorflow as tf

encoder = tf.keras.layers.Dense(8, activation="relu", use_bias=False)
decoder = tf.keras.layers.Dense(4)
optimizer = tf.keras.optimizers.SGD(0.1)


def train_step(batch):
    with tf.GradientTape() as tape:
        code = encoder(batch)
        loss = tf.reduce_mean(tf.square(decoder(code) - batch)) + 0.01 * tf.reduce_mean(code)
    z = tf.matmul(batch, encoder.kernel)
    gradients = tape.gradient(loss, encoder.trainable_variables)
    # backward pass with the derivative of tanh, so that no unit dies
    gradients = [g * (1 - tf.tanh(z) ** 2) for g in gradients]
    optimizer.apply_gradients(zip(gradients, encoder.trainable_variables))
    return loss


if __name__ == "__main__":
    print(train_step(tf.random.normal((4, 4))))
