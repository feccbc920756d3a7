"""Evaluation of models: figures, report, comparison of two models, label issues."""
