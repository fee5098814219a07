"""Bugs of classroom/."""
from .mutant import bugs

MUTANTS = [
    # From a list that was written before its author looked at the tests
    *bugs("classroom/assignment/grade.py", "classroom/test_assignment.py",
          ("datetime.date.fromtimestamp(newest) > datetime.date.fromisoformat(due)",
           "datetime.date.fromtimestamp(newest) >= datetime.date.fromisoformat(due)", "the due day itself is late")),
    *bugs("classroom/assignment/submissions.py", "classroom/test_assignment.py",
          ("ranked.append((rank, len(path.parts), -path.lstat().st_mtime, path))",
           "ranked.append((rank, len(path.parts), path.lstat().st_mtime, path))", "the oldest file is taken"),
          ("(SyntaxError, ValueError, RecursionError, MemoryError):\n            continue",
           "(SyntaxError, ValueError, RecursionError, MemoryError):\n            break",
           "cells behind one that does not parse are lost")),
    *bugs("classroom/exercises/progress.py", "classroom/test_exercises.py",
          ("html.escape(text)", "text", "a report's text is HTML")),
    *bugs("classroom/doctor/doctor.py", "classroom/test_doctor.py",
          ('equal_nan=x.dtype.kind == "f") for x, y in zip(got[0], again)):',
           'equal_nan=x.dtype.kind == "f") for x, y in zip(got[0], got[0])):', "a function with a memory passes")),
    *bugs("classroom/doctor/bank.py", "classroom/test_doctor.py",
          ("if cells == self.wrong and all(agree_on", "if cells == self.wrong or all(agree_on",
           "a mistake explains all with part of it")),
    *bugs("classroom/doctor/cases.py", "classroom/test_doctor.py",
          ("a.take([k * size + w for k in range(blocks) for w in which], axis=axis)",
           "a.take([k * blocks + w for k in range(blocks) for w in which], axis=axis)", "gates are cut at the wrong places")),
    *bugs("classroom/notebooks/build.py", "classroom/test_notebooks.py",
          ("SOLUTION.sub(STUB, cell.source)", "cell.source", "students get solutions")),
]
