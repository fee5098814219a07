"""What turns texts into tokens, or files into frames, and answers into texts.

Frames need NumPy, and pictures Pillow.
"""
import json
from pathlib import Path

from text.subwords import Subwords
from text.tokenizer import Tokenizer
from text.vocabulary import Vocabulary

HERE = Path(__file__).parent


def description():
    """config.json: the choices of the model, the units of the texts, the greatest lengths trained on."""
    return json.loads((HERE / "config.json").read_text(encoding="utf-8"))


def sides():
    """-> (tokenizer, vocabulary) of the source and of the target."""
    words, units, found = json.loads((HERE / "vocabulary.json").read_text(encoding="utf-8")), description()["units"], []
    for side in ("source", "target"):
        pieces = words["subwords"].get(side)
        if side == "source" and description()["config"]["source"] == "frames":
            from text.frames import FrameReader, NoVocabulary
            found.append((FrameReader.from_json(pieces), NoVocabulary()))
        else:
            tokenizer = Tokenizer(units[f"{side}_units"], units["lowercase"], pieces and Subwords.from_json(pieces))
            found.append((tokenizer, Vocabulary.from_json(words[side])))
    return found
