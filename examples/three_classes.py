"""Three classes, scores instead of probabilities, and a loss that is not told so."""

import keras
import numpy as np

model = keras.Sequential(
    [
        keras.Input((6,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(3),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy()
model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
model.fit(np.random.normal(size=(64, 6)), np.random.randint(0, 3, 64), verbose=0)
