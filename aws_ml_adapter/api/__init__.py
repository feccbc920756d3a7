"""What Amazon Machine Learning's API says: faults, recipes, rearrangements, parameters, formats, storage of objects."""
