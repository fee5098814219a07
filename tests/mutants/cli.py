"""Bugs of cli/: the command line."""
from .mutant import bugs

MUTANTS = [
    *bugs("cli/wording.py", "cli/test_wording.py",
          ("if i % 2 else plain(part)", "if False else plain(part)", "a person's own text is translated, too"),
          ("getattr(args, first[1], None) is not None", "True", "an option that was not given is blamed"),
          ("int(m[1]) + 1", "int(m[1])", "texts are counted from 0")),
]
