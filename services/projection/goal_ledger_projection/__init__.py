"""The read side: folds facts into tables and answers questions."""
