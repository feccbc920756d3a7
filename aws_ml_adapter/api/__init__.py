"""The formats of Amazon Machine Learning's API: recipes, rearrangements, parameters, faults, and object storage."""
