"""From cleaned text to columns; opens no scan and trains no classifier."""
