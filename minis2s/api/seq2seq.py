"""Seq2Seq: for people who have texts.  It holds a Config, two vocabularies and parameters.

All computing is done by the pure functions of model/, training/ and decoding/; this class calls them in order, through
the files of this folder: fitting.py, answering.py, evaluation.py.
"""
import warnings
from typing import Any, cast

from .. import tasks  # noqa: F401  adds the recipes of its sounds and pictures
from ..core import validation
from ..data.corpus import MAX_LENGTH
from ..data.frames import UNITS as FRAME_UNITS, WRITTEN, FrameReader, NoVocabulary
from ..data.subwords import Subwords
from ..data.tokenizer import Tokenizer, check_unit
from ..model.config import Config
from ..training import checkpoint
from ..training.options import Training
from . import answering, evaluation, fitting, notes
from .answering import Translation, attention_of, frames_and_attention  # noqa: F401  their public place
from .backends import backend_for, is_named
from .run import Run
from .texts import hold_out, text_pairs


class Seq2Seq:
    """A sequence-to-sequence model for texts.

    Parameters
    ----------
    config : Config, optional
        The default is an LSTM of 128 with additive attention.
    source_units, target_units : str
        What a token is: "char" (a Unicode code point), "word" (a word or punctuation mark), "space" (what stands
        between white space) or "bpe:N" (N sub-words, learnt from the training pairs).  "wav", "npy" and, of the source,
        "png" make frames: a text is then the path of a file, and the Config's source or target "frames".
    min_count : int
        Tokens seen less often in training are read as <unk>, so that the model learns what to do with unknown ones.
    lowercase : bool
        Texts of both sides are lower-cased first.
    max_length : int
        Pairs with more tokens on a side are left out of training and counted.
    backend : {"numpy", "numba"}, optional
        The implementation that computes: the readable one, or the compiled one, which is faster and has to be
        compiled first.  Default: what the environment variable MINIS2S_BACKEND says; else "numpy", but "numba" to
        answer or measure many texts.

    Attributes
    ----------
    config : Config
    source_vocab, target_vocab : Vocabulary or None
    source_tokenizer, target_tokenizer : Tokenizer or None
        How texts become tokens.  Known after `fit` or `load`.
    params : seq2seq.Params or None
    held_out : list of (str, str)
        The validation pairs of `fit`.
    records : list of dict
        The metrics of training, one for each evaluation.
    stopped_by : int or None
        The signal that ended `fit` early.

    Examples
    --------
    >>> from minis2s import Config, Seq2Seq, Training
    >>> pairs = [("ab", "ba"), ("bc", "cb"), ("ca", "ac")]
    >>> model = Seq2Seq(Config(hidden=32)).fit(pairs, valid=pairs, training=Training(epochs=200), progress=False)
    >>> model.translate(["ab"])
    ['ba']
    """

    def __init__(self, config: Config | None = None, *, source_units: str = "char", target_units: str = "char",
                 min_count: int = 1, lowercase: bool = False, max_length: int = MAX_LENGTH,
                 backend: str | None = None) -> None:
        if not isinstance(config, (Config, type(None))):
            raise TypeError(f"config: got {type(config).__name__}, wanted a Config")
        for name, unit in (("source_units", source_units), ("target_units", target_units)):
            if unit not in (WRITTEN if name == "target_units" else FRAME_UNITS):
                check_unit(name, unit)
        validation.whole("min_count", min_count, 1)
        validation.whole("max_length", max_length, 1)
        if not isinstance(lowercase, bool):
            raise TypeError(f"lowercase={lowercase!r}: wanted True or False")
        self.config = fitting.for_units(config or Config(), source_units, target_units)
        self.backend, self.backend_is_named = backend_for(self.config, backend), is_named(backend)
        self.source_units, self.target_units, self.min_count = source_units, target_units, min_count
        self.lowercase, self.max_length = lowercase, max_length
        self.params = self.source_tokenizer = self.target_tokenizer = cast(Any, None)
        self.source_vocab = self.target_vocab = cast(Any, None)             # all known after `fit` or `load`
        self.stopped_by: int | None = None
        self.settings: str | None = None                # a line about a preset, for `fit` to show
        self.records, self.held_out = list[dict](), list[tuple[str, str]]()
        self.lengths, self.origin, self.data = None, dict[str, Any](), None

    # learning ---------------------------------------------------------------------------------------

    def fit(self, pairs: Any, valid: Any = None, *, training: Training | None = None, out: Any = None,
            resume: bool = False, overwrite: bool = False, progress: bool = True, origin: dict | None = None,
            start: "Seq2Seq | None" = None, teacher: "Seq2Seq | None" = None, distill: str = "word") -> "Seq2Seq":
        """Learn from text pairs.

        Parameters
        ----------
        pairs : list of (str, str), data.pairs.Pairs, or the path of a pairs file
        valid : the same, optional
            Held-out pairs; None: 5 % of the sources of `pairs`, at most 1,000, are held out.
        training : Training, optional
        out : path, optional
            A directory for the run: checkpoints while training, then weights, metrics and pictures.
        resume : bool
            Go on with the run in `out`: same data, same options (epochs and minutes may change).
        overwrite : bool
            Replace the run in `out`.
        progress : bool
            Show a progress bar (on a terminal) and a line for each epoch, on standard error.
        origin : dict, optional
            Plain values that say where the pairs came from; kept in config.json.
        start : Seq2Seq, optional
            A trained model of an equal Config, whose weights are the first ones (see api/transfer.py).
        teacher : Seq2Seq, optional
            A trained model that this one, the student, learns from.
        distill : {"word", "sequence"}
            From the teacher's distributions beside each target, for which vocabularies must be the same; or from its
            answers in place of the targets.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError, OSError
            For bad pairs, and for a run directory that exists or does not fit.
        BlockingIOError
            Another process writes to the run in `out`.
        Diverged
            At the first NaN or infinity; the last checkpoint stays.
        KeyboardInterrupt
            After Ctrl-C or SIGTERM, when the step is done and the run is saved (api.signals.Stopped, with the signal's
            number); the model then has the best weights so far.
        """
        for name, other in (("start", start), ("teacher", teacher)):
            if not isinstance(other, (Seq2Seq, type(None))) or other is not None and other.params is None:
                raise TypeError(f"{name}: wanted a trained Seq2Seq")
        fitting.check(training, out, resume, overwrite, origin, distill)
        training = training or Training()
        pairs = text_pairs("pairs", pairs, self._files)
        pairs, valid = (hold_out(pairs, training.seed, self.lowercase) if valid is None else
                        (pairs, text_pairs("valid", valid, self._files)))
        fitting.fit(self, pairs, valid, training, out, resume, overwrite, progress, origin, start, teacher, distill)
        return self

    @property
    def _files(self) -> tuple[bool, bool]:
        """Whether sources, and targets, are paths: of sounds, pictures or arrays."""
        return self.source_units in FRAME_UNITS, self.target_units in FRAME_UNITS

    def _description(self) -> dict:
        """What config.json and vocabulary.json say of a model."""
        sides = (("source", self.source_tokenizer), ("target", self.target_tokenizer))
        return {"config": self.config.to_json(), "units": self._units(), "lengths": self.lengths,
                "subwords": {side: t.trained.to_json() for side, t in sides if t.trained}, "origin": self.origin,
                **({"data": self.data} if self.data else {})}

    def _units(self) -> dict:
        """What makes tokens of texts, as the constructor's arguments."""
        return {"source_units": self.source_units, "target_units": self.target_units, "min_count": self.min_count,
                "lowercase": self.lowercase, "max_length": self.max_length}

    # answering --------------------------------------------------------------------------------------

    def translate(self, texts: Any, *, beam: int = 1, length_penalty: float = 1.0, max_length: int | None = None,
                  precision: str | None = None) -> Any:
        """The best answer to each text; a blank text is answered by a blank one.

        Warns of unknown tokens, of texts longer than those trained on, and of answers that were cut off; about several
        texts there is one warning for each of these, which numbers them from 1.

        Parameters
        ----------
        texts : list of str, or one str
            Of a model that reads sounds, pictures or arrays: paths of files.
        beam : int
            Hypotheses kept; 1 is greedy decoding.
        length_penalty : float, 0 or more
            Beams are ranked by log p / length**length_penalty, the end counted; usually from 0 to 1.
        max_length : int, optional
            Most tokens (or frames) of an answer; None: 10 (steps) more than the longest target trained on.
        precision : {"int8", "bf16"}, optional
            At which kernels read the readout's weights for up to 8 hypotheses at once: see decoding/rough.py.

        Returns
        -------
        list of str, or one str; of a model that writes frames, sounds (samples, rate) or arrays (T, F)
        """
        one = isinstance(texts, str)
        answers = self.decode([texts] if one else texts, beam=beam, length_penalty=length_penalty,
                              max_length=max_length, precision=precision)
        for note in notes.grouped(self, answers):
            warnings.warn(note, stacklevel=2)
        return answering.said(self, answers[0][0]) if one else [answering.said(self, best[0]) for best in answers]

    def decode(self, texts: Any, *, method: str = "beam", beam: int = 1, nbest: int = 1, length_penalty: float = 1.0,
               max_length: int | None = None, batch: int = 128, seed: int = 0,
               **options: Any) -> list[list[Translation]]:
        """Answers in full: n-best lists with probabilities and attention weights.

        Parameters
        ----------
        texts : list of str
        method : {"beam", "sample", "exact"}
            Beam search (greedy where beam=1), random sampling, or provably exact search.
        beam, nbest, length_penalty, max_length
            See `translate`; `nbest` answers of each beam, at most `beam`, are returned.  Sampling and exact
            search give one answer each, and have neither a beam nor a length penalty.
        batch, seed : int
            Texts decoded together; for sampling.
        options
            precision for "beam"; temperature, top_k, top_p for "sample"; budget for "exact": see `minis2s.decoding`.

        Returns
        -------
        list, for each text a list of Translation, the best first

        Raises
        ------
        ValueError, TypeError
            For texts that are no strings, and for options that cannot be or are not the method's.
        """
        self._need_params()
        answering.check_texts(texts)
        how = answering.Options(method, beam, nbest, length_penalty, max_length, batch, seed, options)
        return answering.decode(self, texts, answering.checked(how, self))

    def evaluate(self, pairs: Any, *, beam: int = 1, length_penalty: float = 1.0,
                 recogniser: "Seq2Seq | None" = None) -> dict:
        """Compare answers with references.

        Parameters
        ----------
        pairs : list of (str, str), data.pairs.Pairs, or the path of a pairs file
            A source may stand several times: each of its targets is right.
        beam, length_penalty
            See `translate`.
        recogniser : Seq2Seq, optional
            A model that reads back what a model of frames writes, see api/speaking.py.

        Returns
        -------
        dict
            pairs, sources, too_long (pairs left out, with more than `max_length` tokens); exact_match, token_accuracy
            (teacher-forced), unknown_tokens (shares); character_error_rate, token_error_rate; nll and perplexity,
            teacher-forced and free-running; bleu (or why it is undefined) and chrf in per cent, with how the text was
            cut, where sacrebleu is installed.  See training/metrics.py, and for frames api/speaking.py.
        """
        self._need_params()
        return evaluation.evaluate(self, text_pairs("pairs", pairs, self._files), beam, length_penalty,
                                   recogniser=recogniser)

    # looking and keeping ----------------------------------------------------------------------------

    def summary(self) -> str:
        """A table of all parameters: name, shape, how many; and their sum."""
        self._need_params()
        return notes.summary(self)

    def save(self, path: Any, overwrite: bool = False) -> None:
        """Write config.json, vocabulary.json and weights.safetensors into the directory `path`."""
        self._need_params()

        def write(run: Run) -> None:
            run.write_model(self._description(), self.source_vocab, self.target_vocab)
            checkpoint.save_weights(run.weights, self.params, self.config)
        Run(path).create(write, overwrite)

    @classmethod
    def load(cls, path: Any, backend: str | None = None) -> "Seq2Seq":
        """Read what `save` or `fit(out=...)` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            Naming the file that is missing, broken, changed, or of another configuration.
        """
        run = Run(path)
        description, source_vocab, target_vocab = run.read_model()
        model = cls(description["config"], **description["units"], backend=backend)
        model.source_tokenizer, model.target_tokenizer = (
            FrameReader.from_json(pieces) if unit in FRAME_UNITS else
            Tokenizer(unit, model.lowercase, pieces and Subwords.from_json(pieces)) for unit, pieces in (
                (model.source_units, description["subwords"].get("source")),
                (model.target_units, description["subwords"].get("target"))))
        model.source_vocab, model.target_vocab = (
            NoVocabulary() if is_file else vocab for is_file, vocab in zip(model._files, (source_vocab, target_vocab)))
        model.lengths, model.origin, model.data = (description.get(name) for name in ("lengths", "origin", "data"))
        model.params = checkpoint.load_weights(run.weights, model.config)
        model.records = run.records()
        return model

    def _need_params(self) -> None:
        if self.params is None:
            raise ValueError("not fitted: call fit() or load() first")
