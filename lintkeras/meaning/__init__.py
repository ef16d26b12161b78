"""What the code does: names become Keras symbols, values flow, tapes and gradients are followed."""
