"""`python -m tests.trace.fuzzing`."""

import sys

from tests.trace.fuzzing import main

main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
