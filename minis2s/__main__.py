"""`python -m minis2s` is the command line, also where the script `minis2s` is not on the path."""
import sys

from .cli.main import main

sys.exit(main())
