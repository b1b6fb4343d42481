"""What the rules decline is put to a language model; what it answers is a candidate, never a verdict."""
