"""From cleaned text to columns; opens no scan and trains no classifier.

=================================  ===================================================================================
words                              `tokens`, `characters` (batches of texts as arrays), `text_arguments`
keywords                           `lexicon`, `keyword_matcher` (with `symmetric_delete`), `keyword_learning` (with
                                   `spacy_tables`), `keyword_check`
n-grams                            `ngrams` (counted), `tfidf` (kept and weighed), `vectorizer` (for scikit-learn)
meaning, layout, language          `word_vectors`, `layout`, `language_detection`
all features of a document         `feature_set`; `augmentation` makes further copies of documents to train on
columns of a table                 `datasource`, `schema` (Amazon ML's), `prepared` (what computes the columns)
=================================  ===================================================================================
"""
