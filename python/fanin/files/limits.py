"""Set the limits of what is read from files. Each is far beyond what real files have."""

from __future__ import annotations

JSON_BYTES = 10_000_000  # bytes in a config.json
TOML_BYTES = 4_000_000  # bytes in a TOML file, enough for 40 000 shapes: `tomllib` takes seconds for it
PLAN_BYTES = 250_000_000  # bytes in a plan as JSON, which has some hundred for each parameter
INDEX_BYTES = 25_000_000  # bytes in an index: with experts of a trillion parameters it has about ten million
HEADER_BYTES = 100_000_000  # bytes in the header of a safetensors file, as the format defines
JOURNAL_BYTES = 1_000_000_000  # bytes in a journal
JOURNAL_LINE_BYTES = 10_000_000  # bytes in one of its lines

NAMES = 500_000  # names in an object: a hostile header of so many takes seconds
NAME_LENGTH = 10_000  # characters in a name, in a header or a TOML file
ENTRY_LENGTH = 4096  # characters that a header has for one tensor
METADATA_LENGTH = 1_000_000  # characters that a checkpoint has for its origin

DEPTH = 64  # lists, objects and tables within each other
KEY_PARTS = 32  # parts of a dotted key: a.b.c has three, and tomllib's time grows with their square
DIGITS = 500  # digits in a number

ELEMENTS = 2**63 - 1  # elements of a tensor, as everywhere in fanin
AXES = 64  # axes of a tensor, as in NumPy
SIZE = 2**31 - 1  # a width, the size of a vocabulary and the like in a config.json
STD = 1000.0  # a standard deviation in a config.json
LAYERS = 10_000  # layers of a model that fanin builds itself
FILES = 99_999  # files of a checkpoint: their names have five digits

# These limit models that transformers builds, which makes one module after another.
FOREIGN_LAYERS = 1000  # layers
FOREIGN_COUNT = 100_000  # labels and other things that a config.json counts
FOREIGN_PARAMETERS = 100_000  # parameters
FOREIGN_BYTES = 2**34  # bytes of tensors that a model makes in memory, while all others are on the meta device
FOREIGN_SECONDS = 600  # seconds that it takes to build one

RULES = 10_000  # rules in a recipe
PATTERN_LENGTH = 1000  # characters in a pattern
PATTERN_DEPTH = 20  # groups within each other in a pattern
PATTERN_STATES = 1000  # characters of a pattern whose repetitions are written out

ARRAY_HEADER_LENGTH = 10_000  # bytes in the header of an .npy file, as in NumPy
ARCHIVE_READ = 100_000_000  # bytes in the directory of a .npz file
ARCHIVE_GROWTH = 100  # how many times larger than the .npz file its arrays may be
ARCHIVE_FREE = 2**28  # bytes of arrays that even a small .npz file may hold
