"""Read files that may be hostile: regular ones only, with bounds on size, depth and counts, and one kind of error."""
