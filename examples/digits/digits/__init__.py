"""Synthetic digits: data, model and two ways to train it."""
