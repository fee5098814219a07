"""Bugs of data/: units, vocabularies, pairs, batches."""
from .mutant import bugs

MUTANTS = [
    *bugs("data/batches.py", "data/test_batches.py",
          ("[BOS, *y]", "[EOS, *y]", "EOS fed at the start"),
          ("[*y, EOS]", "[BOS, *y]", "targets not shifted: the answer stands in the input"),
          ("np.ascontiguousarray(mask.T)", "np.ascontiguousarray(ids.T != PAD)",
           "padding told apart by the number 0"),
          ("PAD, dtype=np.int64)", "EOS, dtype=np.int64)", "padded with EOS"),
          ("inputs, outputs, target_mask)", "inputs, outputs, target_mask & (outputs != EOS))",
           "EOS is never learned"),
          ("inputs, outputs, target_mask)", "outputs, inputs, target_mask)",
           "inputs and targets change places"),
          ("s[::-1] for s in sources", "sorted(s) for s in sources", "sorted, not turned around"),
          ("np.lexsort((source, target))", "np.lexsort((target, source))", "sorted by source length first"),
          ("range(0, len(pool), batch_size)", "range(0, len(pool) - batch_size + 1, batch_size)",
           "the last, smaller batch dropped"),
          ("order, size, batches = rng.permutation(len(lengths))",
           "order, size, batches = np.arange(len(lengths))",
           "examples not shuffled"),
          ("for i in rng.permutation(len(batches))", "for i in range(len(batches))",
           "batches in order of length"),
          ("POOL * batch_size", "POOL", "pools of 50 examples in place of 50 batches")),
]
