"""Bugs of viewer/: trace, plots, figures."""
from .mutant import bugs

MUTANTS = [
    *bugs("viewer/trace/position.py", "viewer/test_trace.py",
          ('t = found["T"] - 1 - t ', "t = t ", "steps of the direction from the end counted as they are computed")),
    *bugs("viewer/trace/tensors.py", "viewer/test_trace_page.py",
          ("blocks = a.reshape(*a.shape[:-1], len(gates), -1)[..., :size]", "blocks = a[..., :size * len(gates)]",
           "a cut shows the first gate alone")),
    *bugs("viewer/figures/stories.py", "viewer/test_figures.py",
          ("if a.text == target and looks(a, parts)]", "if looks(a, parts)]", "a wrong answer in the picture"),
          ("if a.text == target and looks(a, parts)]", "if a.text == target]", "a picture whose answer looks elsewhere"),
          ("return good[:count]", "return answers[:count]", "the first answers, right or wrong")),
    *bugs("viewer/figures/models.py", "viewer/test_figures.py",
          ("if model.stopped_by is not None:", "if False:", "a picture of a model that was stopped")),
    *bugs("viewer/figures/__init__.py", "viewer/test_figures.py",
          ("        check_free(folder / file, overwrite)", "        pass", "pictures replaced without --overwrite"),
          ("FIGURES[name](Path(room)", "FIGURES[name](Path(folder)", "a picture replaced before all are drawn")),
    *bugs("viewer/plots/fonts.py", "viewer/test_plots.py",
          ("    if 0xFDD0 in charmap:", "    if False:", "a font of placeholder boxes taken for letters"),
          ('else f"U+{ord(char):04X}")', "else char)", "an empty box where no font has the glyph")),
    *bugs("viewer/plots/gradients.py", "viewer/test_flow.py",
          ("np.arange(1, len(values) + 1)", "np.arange(len(values))", "the first step drawn at t = 0")),
]
