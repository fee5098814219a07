"""minis2s: sequence-to-sequence models to learn from."""
