"""A leaky ReLU with a slope that is learnt."""

import keras
from keras import ops


class Leaky(keras.layers.Layer):
    """max(x, slope * x) with a slope for each channel.

    A layer is needed here because of its weight. The derivative is found automatically; nobody has to
    write it. At zero, where ReLU has no derivative, a subgradient is taken, so that no NaN appears.
    """

    def build(self, input_shape):
        # Created once, outside of any tape: it gets its gradient all the same.
        self.slope = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="slope")

    def call(self, inputs):
        return ops.maximum(inputs, self.slope * inputs)


# A model of these layers is trained with fit, be it Sequential or a subclass.
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), Leaky(), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(0.1, clipnorm=1.0), loss="mse")
