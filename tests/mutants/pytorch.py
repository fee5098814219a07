"""Bugs of pytorch/."""
from .mutant import bugs

MUTANTS = [
    # From a list that was written before its author looked at the tests
    *bugs("pytorch/interop.py", "pytorch/test_interop.py",
          ("return np.concatenate([r, -z, n], axis=-1)", "return np.concatenate([r, z, n], axis=-1)",
           "PyTorch's z is ours"),
          ("b_hh[2 * len(p.b_U):] = p.b_U", "b_hh[:len(p.b_U)] = p.b_U", "the second bias of n goes to r"),
          ("b + b_hh)\n    H", "b)\n    H", "one of PyTorch's two biases is lost"),
          ('return {name + end: np.array(a, order="C") for', "return {name + end: np.asarray(a) for",
           "torch writes into our parameters")),
]
