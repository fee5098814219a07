"""The library's messages, in the words of the command line."""
from types import SimpleNamespace

import pytest

from minis2s.cli.main import parser
from minis2s.cli.wording import for_options


@pytest.mark.parametrize("text, said", [
    ("beam: got 0, wanted 1 or more", "--beam: got 0, wanted 1 or more"),
    ("hidden=0: wanted at least 1", "--hidden 0: wanted at least 1"),
    ("r: exists; go on (resume=True) or replace it (overwrite=True)",
     "r: exists; go on (--resume) or replace it (--overwrite)"),
    ("r: the run was begun with lr=0.02, not 0.5", "r: the run was begun with --lr 0.02, not 0.5"),
    ("input_feeding needs attention; context=init has none",
     "--input-feeding needs attention; --context init has none"),
    ("cell='gru' and label_smoothing=0.1", "--cell 'gru' and --label-smoothing 0.1"),
    ("p.tsv: 'beam=3 label_smoothing resume=True' is no pair",
     "p.tsv: 'beam=3 label_smoothing resume=True' is no pair"),
    ("min_count_of: hidden layers and the batch", "min_count_of: hidden layers and the batch"),
    ("pairs: none, wanted at least one", "pairs: none, wanted at least one"),       # not given, so the task's
    ("texts[1]: got int, then texts[0]", "text 2: got int, then text 1"),
    ("--beam=3 stays", "--beam=3 stays")])
def test_arguments_become_options(text, said):
    known = {a.dest: a for name in ("train", "translate")
             for a in parser([name])._subparsers._group_actions[0].choices[name]._actions}
    args = SimpleNamespace(beam=0, pairs=None)
    assert for_options(text, SimpleNamespace(_actions=list(known.values())), args) == said


def test_every_option_of_training_is_translated():
    train = parser(["train"])._subparsers._group_actions[0].choices["train"]
    for action in train._actions:
        if action.option_strings and action.dest != "help":
            said = for_options(f"{action.dest}=5: wanted more", train, SimpleNamespace())
            # `from` is no name in Python
            name = "from" if action.dest == "start" else action.dest.replace("_", "-")
            assert said == f"--{name} 5: wanted more"
