"""Answer texts:  python translate.py [--beam K] [--max-length N] TEXT ..."""
import argparse

import load
import search


def translate(texts, beam=1, max_length=None):
    """The best answer to each text."""
    model, (source, target) = load.model(), load.sides()
    longest = max_length or load.description()["lengths"]["target"] + 10
    ids, mask = load.source_of([source[1].encode(source[0].split(text)) for text in texts],
                               model.config["reverse_source"])
    found = model.greedy(ids, mask, longest) if beam == 1 else [best[0][0] for best in search.beam(
        model, ids, mask, longest, beam)]
    return [target[0].join(target[1].decode(answer)) for answer in found]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--max-length", type=int)
    given = parser.parse_args()
    print(*translate(given.texts, given.beam, given.max_length), sep="\n")
