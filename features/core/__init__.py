"""The compiled core, in C: n-grams, words and layout of a text, words looked up, sparse rows; called through ctypes."""
