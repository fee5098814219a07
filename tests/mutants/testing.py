"""Bugs of testing/."""
from .mutant import bugs

MUTANTS = [
    # From a list that was written before its author looked at the tests
    *bugs("testing/checks.py", "testing/test_checks.py",
          ("    missing = [n for n in names if not hasattr(module, n)]", "    missing = []",
           "missing names are not said"),
          ('    assert {a.dtype for a in tree.leaves(p)} <= {np.dtype(float)}, "init must give float64"\n'
           "    assert len(p.W)", "    assert len(p.W)", "float32 of init passes"),
          ('assert not dxs[~mask].any(), "padding has a gradient"', "pass", "gradients of padding pass"),
          ("assert not wide, f\"float64 in {', '.join(wide)}\"\n\n\ndef cell_over_time", "pass\n\n\ndef cell_over_time",
           "float64 from float32 passes"),
          ("cell_examples_are_apart, cell_keeps_float32, cell_over_time)", "cell_keeps_float32, cell_over_time)",
           "mixing examples passes"),
          ('assert not k.alpha[~c.mask].any(), "padding has a weight"', "pass",
           "weights at padding pass (seen by the next line)", "what a weight at padding changes is seen in ctx"),
          ("    assert_trees_close(dp, total)\n\n\ndef cell_keeps_float32", "\n\ndef cell_keeps_float32",
           "gradients that are means pass", "cell_gradients finds a mean first")),
    *bugs("testing/compare.py", "testing/test_checks.py",
          ('assert np.array_equal(a, b), f"{what} gives', 'assert np.allclose(a, b), f"{what} gives',
           "nearly the same numbers pass as the same bits"),
          ("a.setflags(write=False)", "a.setflags(write=True)", "changes in place are not seen")),
]
