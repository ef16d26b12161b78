"""What documents and comments say about Keras."""
