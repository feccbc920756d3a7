"""Fit, calibrate, explain, predict, and the model file."""
