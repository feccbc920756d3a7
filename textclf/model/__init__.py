"""Training, calibration, prediction, explanation, and the model file."""
