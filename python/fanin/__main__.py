"""`python -m fanin` is the command `fanin`."""

import sys

from .cli import main

sys.exit(main())
