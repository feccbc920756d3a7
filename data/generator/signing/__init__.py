"""Forms to be signed: handwriting of many invented hands, consent forms in two languages, and their places."""
