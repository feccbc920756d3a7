"""The machine learning of the server: features, training, predictions, evaluations, statistics."""
