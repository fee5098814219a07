"""Bugs of tasks/."""
from .mutant import bugs

MUTANTS = [
    # From a list that was written before its author looked at the tests
    *bugs("tasks/copy.py", "tasks/test_tasks.py",
          ("zip(sizes, (TRAIN_LONGEST, LONGEST, LONGEST))", "zip(sizes, (LONGEST, LONGEST, LONGEST))",
           "training has texts as long as the test")),
    *bugs("tasks/dates.py", "tasks/test_tasks.py",
          ("for n in range(first, LAST + 1)", "for n in range(first, LAST)", "the last day never comes"),
          ('"{m}/{d}/{y}",                              # 9/27/1994',
           '"{d}/{m}/{y}",                              # 9/27/1994', "day and month are mixed up")),
    *bugs("tasks/numbers.py", "tasks/test_tasks.py",
          ('return text[1:] if text.startswith("一十") else text', 'return text.replace("一十", "十")', "一百一十五 loses its 一")),
    *bugs("tasks/phrases.py", "tasks/test_tasks.py",
          ("pool = held if any(held_out(*words)", "pool = held if all(held_out(*words)", "held-out combinations are practised")),
]
