"""What the package reads from disk: regular files alone, of bounded size, depth and counts, with one kind of error."""
