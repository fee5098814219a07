"""Answer texts with onnxruntime:  python run.py TEXT ...     (python run.py --check: the answers that minis2s gave?)

A model that reads frames is given files: of sounds, pictures or arrays, as in training.
"""
import argparse
import json
import sys

import numpy as np
import onnxruntime
from sides import HERE, description, sides

PAD, BOS, EOS, UNK = range(4)


def greedy(source, mask, max_length):
    """The most probable token at each step: ids (T, N) or frames (T, N, F), mask (T, N) -> ids for each source."""
    encoder, decoder = (onnxruntime.InferenceSession(str(HERE / name)) for name in ("encoder.onnx", "decoder.onnx"))
    values, N = {"source": source, "mask": mask}, mask.shape[1]
    values.update(run(encoder, values))
    ids, done, answers = np.full(N, BOS), np.zeros(N, bool), [[] for _ in range(N)]
    for _ in range(max_length):
        new = run(decoder, {**values, "ids": ids})
        values.update({name.removeprefix("next_"): a for name, a in new.items()})
        logits = new["logits"]
        logits[:, [PAD, BOS, UNK]] = -np.inf                    # never written
        ids = logits.argmax(axis=1)
        done |= ids == EOS
        for n in np.flatnonzero(~done):
            answers[n].append(int(ids[n]))
        if done.all():
            break
    return answers


def run(session, values):
    """Give a graph the inputs that it has, by name: -> its outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {each.name: values[each.name] for each in session.get_inputs()})))


def translate(texts):
    """The answers to texts, or files; a blank text is answered by a blank one."""
    (tokenizer, vocabulary), (answering, words), known = *sides(), description()
    rows = [np.asarray(vocabulary.encode(tokenizer.split(text))) for text in texts if text.strip()]
    lengths = np.array([len(row) for row in rows], int)
    mask = np.arange(lengths.max(initial=1))[:, None] < lengths
    source = np.zeros((*mask.shape, *(rows[0].shape[1:] if rows else ())), rows[0].dtype if rows else int)
    for n, row in enumerate(rows):
        source[:len(row), n] = row[::-1] if known["config"]["reverse_source"] else row
    most = min(known["lengths"]["target"] + 10, known["config"].get("max_positions") or np.inf)
    answers = iter(greedy(source, mask, most) if rows else [])
    return [answering.join(words.decode(next(answers))) if text.strip() else "" for text in texts]


def check():
    """Whether the reference sources have the answers that minis2s gave."""
    said = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
    source = np.array(said["source"], "float32" if np.ndim(said["source"]) == 3 else "int64")
    same = greedy(source, np.array(said["source_mask"], bool), said["max_length"]) == said["greedy"]
    print(f"{'same' if same else 'DIFFERENT':<10} greedy answers")
    return 0 if same else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--check", action="store_true", help="compare answers with those of minis2s")
    given = parser.parse_args()
    if given.check:
        sys.exit(check())
    print(*translate(given.texts), sep="\n")
