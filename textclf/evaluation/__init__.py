"""What a model is worth: figures, report, comparison of two models, label issues."""
