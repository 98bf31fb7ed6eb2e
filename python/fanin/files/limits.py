"""The limits of what is read from files: all of them, each far beyond what real files have."""

from __future__ import annotations

JSON_BYTES = 10_000_000  # of a config.json
TOML_BYTES = 4_000_000  # of 40 000 shapes, or a recipe: `tomllib` takes seconds
INDEX_BYTES = 25_000_000  # of a trillion parameters in experts, the index has about ten million
HEADER_BYTES = 100_000_000  # of a safetensors file, by the format's definition
JOURNAL_BYTES = 1_000_000_000
JOURNAL_LINE_BYTES = 10_000_000

NAMES = 500_000  # in an object: a hostile header takes seconds
NAME_LENGTH = 10_000  # characters, in a header or a TOML file
ENTRY_LENGTH = 4096  # characters of what a header says of one tensor
METADATA_LENGTH = 1_000_000  # characters of what a checkpoint says of its origin

DEPTH = 64  # of lists, objects and tables within each other
KEY_PARTS = 32  # a.b.c has three; tomllib's time grows with their square
DIGITS = 500  # of a number

ELEMENTS = 2**63 - 1  # as everywhere in fanin
AXES = 64  # as NumPy
SIZE = 2**31 - 1  # of a width, a vocabulary and the like in a config.json
LAYERS = 10_000  # of a family that fanin builds itself
FILES = 99_999  # of a checkpoint: their names have five digits

# What transformers builds, one module after another.
FOREIGN_LAYERS = 1000
FOREIGN_COUNT = 100_000  # labels and the like
FOREIGN_PARAMETERS = 100_000  # tensors

RULES = 10_000  # of a recipe
PATTERN_LENGTH = 1000  # characters
PATTERN_DEPTH = 20  # groups within each other
PATTERN_STATES = 1000  # characters, once all repetitions are written out

ARRAY_HEADER_LENGTH = 10_000  # bytes of an .npy header, as NumPy
ARCHIVE_READ = 100_000_000  # bytes of a .npz file's directory
ARCHIVE_GROWTH = 100  # bytes of arrays in a .npz file, over those of the file
ARCHIVE_FREE = 2**28  # bytes of arrays that any .npz file may have
