"""Shape functions: what operations and layers give for what they are given."""
