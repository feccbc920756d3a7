"""Features of cleaned texts; opens no scan and trains no classifier.

=================================  ===================================================================================
words                              `tokens`, `characters`, `text_arguments`
keywords                           `lexicon`, `keyword_matcher`, `keyword_learning` (with `spacy_tables`),
                                   `keyword_check`
the compiled core                  `core`: n-grams, words and layout of a text; sparse rows
n-grams                            `ngrams` (counts), `tfidf` (selects, weights), `vectorizer` (for scikit-learn)
meaning, layout, language          `word_vectors`, `lsa`, `layout`, `language_detection`
all features of a document         `feature_set`; `augmentation` makes distorted copies of training documents
columns of a table                 `datasource`, `schema` (Amazon ML's), `prepared` (computes the columns)
=================================  ===================================================================================
"""
