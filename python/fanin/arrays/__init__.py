"""What goes into an array and comes out of one: dtype, shape, index, seed, and the memory that is written to."""
