"""From texts to arrays: pairs are read, cut into tokens, numbered, and padded into batches."""
