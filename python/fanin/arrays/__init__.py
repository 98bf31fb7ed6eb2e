"""Convert what callers pass for an array: dtype, shape, index, seed, and the memory to write to."""
