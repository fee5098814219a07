"""Answer texts:  python translate.py [--beam K] [--max-length N] TEXT ...

A model that reads frames is given files: of sounds, pictures or arrays, as in training.
"""
import argparse
import sys

import load
import search


def translate(texts, beam=1, max_length=None):
    """The best answer to each text, or file; a blank text is answered by a blank one.

    Raises
    ------
    ValueError, OSError
        A text is longer than the positions that the model has learned; a file cannot be read.
    ModuleNotFoundError
        A library that reads such files is not installed.
    """
    model, (source, target) = load.model(), load.sides()
    config, answers = model.config, [""] * len(texts)
    most = config.get("max_positions") or float("inf")
    read = [n for n, text in enumerate(texts) if text.strip()]
    rows = [source[1].encode(source[0].split(texts[n])) for n in read]
    for n, row in zip(read, rows):
        if len(row) > most:
            raise ValueError(f"text {n + 1}: {len(row)} tokens, wanted at most {most}, as many as there are learned "
                             f"positions")
    longest = min(max_length or load.description()["lengths"]["target"] + 10, most)
    if not rows:
        return answers
    ids, mask = load.source_of(rows, config["reverse_source"], config["dtype"])
    found = model.greedy(ids, mask, longest) if beam == 1 else [best[0][0] for best in search.beam(
        model, ids, mask, longest, beam)]
    for n, answer in zip(read, found):
        answers[n] = target[0].join(target[1].decode(answer))
    return answers


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--max-length", type=int)
    given = parser.parse_args()
    try:
        print(*translate(given.texts, given.beam, given.max_length), sep="\n")
    except ModuleNotFoundError as e:
        sys.exit(f"translate.py: this model's sources need the library {e.name} besides torch: pip install "
                 f"{ {'PIL': 'pillow'}.get(e.name, e.name)}")
    except (ValueError, OSError) as e:
        sys.exit(f"translate.py: {e}")
