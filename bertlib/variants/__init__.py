"""After BERT: each descendant as a small difference from the model of this book."""
