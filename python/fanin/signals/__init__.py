"""Compute how signals pass through a layer: activations, their gains, Gaussian means, and mean-field theory."""
