"""Seq2Seq: the door for people who have texts.  It holds a Config, two vocabularies and parameters; all computing is
done by the pure functions of seq2seq, train and search, which it calls in order."""
import dataclasses
import hashlib
import math
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from ..core import validation, tree
from ..model import seq2seq
from ..training import checkpoint, metrics as evaluate, loop as train
from ..model.config import Config
from ..data import corpus as corpora
from ..data.batches import pad
from ..data.corpus import MAX_LENGTH
from ..data.pairs import read_pairs, split_by_source
from ..data.subwords import Subwords
from ..data.tokenizer import Tokenizer, check_unit
from .backends import backend_name, choose
from .run import Run
from ..training.loop import Training

OPTIONS = {"beam": (), "sample": ("temperature", "top_k", "top_p"), "exact": ("budget",)}   # of decode's methods
HELD_OUT = 0.05                     # share of the sources held out where no validation pairs are given
AT_MOST = 1000                      # and how many sources at most
EXTRA = 10                          # tokens that an answer may be longer than the longest target trained on


class Translation(NamedTuple):
    """One answer to one text."""
    text: str
    source: list                    # tokens read
    target: list                    # tokens written; alpha has one row more, for the end, where it was reached
    log_prob: float                 # log p of the answer, nats
    score: float                    # what it was ranked by
    alpha: np.ndarray               # (rows, len(source)) attention weights, or None
    finished: bool                  # False: cut off at the greatest length
    notes: tuple                    # unknown tokens, unusual length: sentences
    proven: bool                    # from the exact search: no other answer is more probable


class Seq2Seq:
    """A sequence-to-sequence model for texts.

    Parameters
    ----------
    config : Config, optional
        The default is an LSTM of 128 with additive attention.
    source_units, target_units : str
        What a token is: "char" (a Unicode code point), "word" (a word or punctuation mark), "space" (what stands between
        white space) or "bpe:N" (N sub-words, learnt from the training pairs).
    min_count : int
        Tokens seen less often in training are read as <unk>, so that the model learns what to do with unknown ones.
    lowercase : bool
        Texts of both sides are lower-cased first.
    max_length : int
        Pairs with more tokens on a side are left out of training and counted.
    backend : {"numpy", "numba"}, optional
        The implementation that computes: the readable one, or the compiled one, which is faster and has to be compiled
        first.  Default: what the environment variable MINIS2S_BACKEND says, else "numpy".

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

    def __init__(self, config=None, *, source_units="char", target_units="char", min_count=1, lowercase=False,
                 max_length=MAX_LENGTH, backend=None):
        if not isinstance(config, (Config, type(None))):
            raise TypeError(f"config: got {type(config).__name__}, wanted a Config")
        for name, unit in (("source_units", source_units), ("target_units", target_units)):
            check_unit(name, unit)
        validation.whole("min_count", min_count, 1)
        validation.whole("max_length", max_length, 1)
        if not isinstance(lowercase, bool):
            raise TypeError(f"lowercase={lowercase!r}: wanted True or False")
        self.config, self.backend = config or Config(), backend_name(backend)
        self.source_units, self.target_units, self.min_count = source_units, target_units, min_count
        self.lowercase, self.max_length = lowercase, max_length
        self.source_tokenizer = self.target_tokenizer = None
        self.source_vocab = self.target_vocab = self.params = self.stopped_by = None
        self.records, self.lengths, self.origin, self.data, self.held_out = [], None, {}, None, []

    # learning ---------------------------------------------------------------------------------------

    def fit(self, pairs, valid=None, *, training=None, out=None, resume=False, overwrite=False, progress=True,
            origin=None):
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

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError, OSError
            For bad pairs, and for a run directory that exists or does not fit.
        train.Diverged
            At the first NaN or infinity; the last checkpoint stays.
        """
        if not isinstance(training, (Training, type(None))):
            raise TypeError(f"training: got {type(training).__name__}, wanted a Training")
        if not isinstance(origin, (dict, type(None))):
            raise TypeError(f"origin: got {type(origin).__name__}, wanted a dict")
        if (resume or overwrite) and out is None:
            raise ValueError("out: wanted the directory of the run, as resume or overwrite is True")
        training = training or Training()
        pairs = text_pairs("pairs", pairs)
        if valid is None:
            pairs, valid = hold_out(pairs, training.seed)
        else:
            valid = text_pairs("valid", valid)
        before = vars(self).copy()
        try:
            corpus, run, state = self._begin(pairs, valid, training, out, resume, overwrite, origin)
        except BaseException:
            vars(self).update(before)                   # a call that is refused changes nothing
            raise
        self.records = run.records() if run else []

        def on_record(row):
            self.records.append(row)
            if run:
                run.append(row)
            show.epoch(row)

        show = Display(training, len(corpus.train), state, visible=progress)
        with show, stop_signals() as stopped:
            end = train.run(
                self.config, training, corpus.train, corpus.valid, state, on_step=show.step, on_record=on_record,
                save=(lambda s: run.save_progress(s, self.config)) if run else None, should_stop=stopped,
                backend=choose(self.backend))
            self.stopped_by = stopped()
        self.params = end.params if end.best_score is None else end.best
        if run:
            checkpoint.save_weights(run.weights, self.params, self.config)
            self._draw(run, corpus.valid_texts)
        return self

    def _begin(self, pairs, valid, training, out, resume, overwrite, origin):
        """Vocabularies, examples and the run: -> Corpus, Run or None, Progress or None."""
        self.params = None                              # those of other vocabularies would answer nonsense
        corpus = corpora.build(pairs, valid, **self._units())
        (self.source_tokenizer, self.source_vocab), (self.target_tokenizer, self.target_vocab) = corpus[:2]
        self.config = dataclasses.replace(self.config, source_vocab=len(self.source_vocab),
                                          target_vocab=len(self.target_vocab))
        self.lengths = corpora.lengths(corpus)
        self.origin, self.held_out = origin or {}, corpus.valid_texts
        self.data = {"train": len(corpus.train), "valid": len(corpus.valid), "too_long": sum(corpus.too_long),
                     "sha256": fingerprint(pairs, valid)}

        run, state = None, None
        for shape in seq2seq.shapes(self.config).values():                  # a model too large: nothing is written yet
            np.empty(shape, self.config.dtype)
        if out is not None:
            run = Run(out)
            if resume:
                state = self._open_run(run, training)
            else:
                run.create(lambda new: self._write_run(new, training), overwrite)
        return corpus, run, state

    def _encode(self, pairs):
        """Text pairs -> pairs of id lists."""
        return [(self.source_vocab.encode(self.source_tokenizer.split(x)),
                 self.target_vocab.encode(self.target_tokenizer.split(y))) for x, y in pairs]

    def _open_run(self, run, training):
        """Check that a run can go on with these options and data: -> its Progress, or None before its first."""
        description, source_vocab, target_vocab = run.read_model()
        if not isinstance(description.get("training"), dict) or "sha256" not in description.get("data", ()):
            raise ValueError(f"{run.config}: a saved model, not a run that training could go on with")
        now = {**training.to_json(), **self._units()}
        then = {**description["training"], **description["units"]}
        checkpoint.check_config(run.config, description["config"].to_json(), self.config)
        for name, value in now.items():
            if name not in ("epochs", "minutes") and then.get(name) != value:
                raise ValueError(f"{run.path}: the run was begun with {name}={then.get(name)!r}, not {value!r}")
        if description["data"]["sha256"] != self.data["sha256"]:
            raise ValueError(f"{run.path}: these are not the pairs that the run was begun with")
        if ((source_vocab, target_vocab) != (self.source_vocab, self.target_vocab)
                or description["subwords"] != self._description()["subwords"]):
            raise ValueError(f"{run.vocabulary}: not the vocabulary of these pairs")
        self.origin = self.origin or description["origin"]
        run.clear()
        self._write_run(run, training)
        if not run.checkpoint.exists():
            return None
        state = checkpoint.load_progress(run.checkpoint, self.config)
        run.rewind(state)
        return state

    def _write_run(self, run, training):
        """What stays the same in training."""
        run.write_model({**self._description(), "training": training.to_json(),
                         "backend": self.backend}, self.source_vocab, self.target_vocab)

    def _description(self):
        sides = (("source", self.source_tokenizer), ("target", self.target_tokenizer))
        return {"config": self.config.to_json(), "units": self._units(), "lengths": self.lengths,
                "subwords": {side: t.subwords.to_json() for side, t in sides if t.subwords}, "origin": self.origin, **({"data": self.data} if self.data else {})}

    def _units(self):
        """What makes tokens of texts, as the constructor's arguments."""
        return {"source_units": self.source_units, "target_units": self.target_units, "min_count": self.min_count,
                "lowercase": self.lowercase, "max_length": self.max_length}

    def _draw(self, run, valid):
        """Loss curves, and attention maps of a few held-out texts."""
        from ..viewer import plots
        if self.records:
            plots.loss_curves(self.records, run.loss)
        if self.config.context == "attention":
            texts = list(dict.fromkeys(x for x, _ in valid))[:6]
            answers = [a for best in self.decode(texts) for a in best[:1] if a.target]
            if answers:
                plots.attention_grid([attention_of(a) for a in answers], run.attention)

    # answering --------------------------------------------------------------------------------------

    def translate(self, texts, *, beam=1, length_penalty=1.0, max_length=None):
        """The best answer to each text; warns of unknown tokens and of texts longer than those trained on.

        Parameters
        ----------
        texts : list of str, or one str
        beam : int
            Hypotheses kept; 1 is greedy decoding.
        length_penalty : float, 0 or more
            Beams are ranked by log p / length**length_penalty, the end counted; usually from 0 to 1.
        max_length : int, optional
            Most tokens of an answer; None: 10 more than the longest target trained on.

        Returns
        -------
        list of str, or one str
        """
        one = isinstance(texts, str)
        answers = self.decode([texts] if one else texts, beam=beam, length_penalty=length_penalty,
                              max_length=max_length)
        for note in dict.fromkeys(note for best in answers for note in best[0].notes):
            warnings.warn(note, stacklevel=2)
        return answers[0][0].text if one else [best[0].text for best in answers]

    def decode(self, texts, *, method="beam", beam=1, nbest=1, length_penalty=1.0, max_length=None, batch=128,
               seed=0, **options):
        """Answers in full: n-best lists with probabilities and attention weights.

        Parameters
        ----------
        texts : list of str
        method : {"beam", "sample", "exact"}
            Beam search (greedy where beam=1), random sampling, or provably exact search.
        beam, nbest, length_penalty, max_length
            See `translate`; `nbest` answers of each beam, at most `beam`, are returned.  Sampling and exact
            search give one answer each, and have neither a beam nor a length penalty.
        batch : int
            Texts decoded together.
        seed : int
            For sampling.
        options
            temperature, top_k, top_p for "sample"; budget for "exact": see `minis2s.decoding`.

        Returns
        -------
        list, for each text a list of Translation, the best first

        Raises
        ------
        ValueError, TypeError
            For texts that are empty or no strings, and for options that cannot be or are not the method's.
        """
        self._need_params()
        if method not in tuple(OPTIONS):
            raise ValueError(f"method={method!r}: choose one of {', '.join(OPTIONS)}")
        for name in options:
            if name not in OPTIONS[method]:
                known = ", ".join(OPTIONS[method]) or "none of its own"
                raise TypeError(f"{name}: no option of method={method!r}, which has {known}")
        if not isinstance(texts, (list, tuple)):
            raise TypeError(f"texts: got {type(texts).__name__}, wanted a list of strings")
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise TypeError(f"texts[{i}]: got {type(text).__name__}, wanted a string")
        for name, value in (("beam", beam), ("nbest", nbest), ("batch", batch)):
            validation.whole(name, value, 1)
        validation.whole("nbest", nbest, 1, beam)
        if method != "beam" and (beam != 1 or length_penalty != 1):
            raise ValueError(f"beam={beam!r}, length_penalty={length_penalty!r}: options of method='beam', "
                             f"not of {method!r}")
        validation.whole("seed", seed, 0)
        max_length = self.lengths["target"] + EXTRA if max_length is None else max_length
        tokens = [self.source_tokenizer.split(t) for t in texts]
        for i, t in enumerate(tokens):
            if not t:
                raise ValueError(f"texts[{i}]: {texts[i]!r} is empty")
        backend = choose(self.backend)
        order, answers = sorted(range(len(texts)), key=lambda i: len(tokens[i])), [None] * len(texts)
        for at in range(0, len(order), batch):
            chosen = order[at:at + batch]
            ids = [self.source_vocab.encode(tokens[i]) for i in chosen]
            source, mask = pad([x[::-1] for x in ids] if self.config.reverse_source else ids)
            args = (self.params, self.config, source, mask, max_length)
            if method == "sample":
                rng = np.random.default_rng((seed, at))
                found = backend.sample(*args, rng, **options)
            elif method == "exact":
                found = backend.exact(*args, **options)
            elif beam == 1 and length_penalty == 1:
                found = backend.greedy(*args)
            else:
                found = backend.beam(*args, beam, length_penalty, nbest)
            for i, best in zip(chosen, found):
                answers[i] = [self._translation(tokens[i], a) for a in best]
        return answers

    def _translation(self, source, a):
        """search.Answer -> Translation."""
        target = self.target_vocab.decode(a.ids)
        alpha = a.alpha
        if alpha is not None and self.config.reverse_source:
            alpha = alpha[:, ::-1]                          # back to the order of the text
        notes, unknown = [], self.source_vocab.unknown(source)
        if unknown:
            notes.append(f"unknown to the model, read as <unk>: {' '.join(unknown)}")
        if len(source) > self.lengths["source"]:
            notes.append(f"{len(source)} tokens; the longest text trained on has {self.lengths['source']}")
        return Translation(self.target_tokenizer.join(target), source, target, a.log_prob, a.score, alpha, a.finished,
                           tuple(notes), a.proven)

    def evaluate(self, pairs, *, beam=1, length_penalty=1.0):
        """Compare answers with references.

        Parameters
        ----------
        pairs : list of (str, str), data.pairs.Pairs, or the path of a pairs file
            A source may stand several times: each of its targets is right.
        beam, length_penalty
            See `translate`.

        Returns
        -------
        dict
            sources, pairs; exact_match, token_accuracy (shares, the latter teacher-forced);
            character_error_rate; nll and perplexity for each target token, teacher-forced and free-running;
            bleu and chrf (per cent, with how the text was cut) where sacrebleu is installed.
        """
        self._need_params()
        pairs = text_pairs("pairs", pairs)
        references = {}
        for x, y in pairs:
            references.setdefault(x, []).append(self.target_tokenizer.normal(y))
        answers = [b[0].text for b in self.decode(list(references), beam=beam, length_penalty=length_penalty)]
        right = list(references.values())
        v = train.validate(self.params, self.config, self._encode(pairs), backend=choose(self.backend))
        return {
            "pairs": len(pairs), "sources": len(references), "beam": beam,
            "exact_match": evaluate.exact_match(answers, right), "token_accuracy": v.token_accuracy,
            "character_error_rate": evaluate.character_error_rate(answers, right),
            "nll_teacher_forced": v.loss_teacher_forced, "perplexity_teacher_forced": safe_exp(v.loss_teacher_forced),
            "nll_free_running": v.loss_free_running, "perplexity_free_running": safe_exp(v.loss_free_running),
            **evaluate.corpus_scores(answers, right)}

    # looking and keeping ----------------------------------------------------------------------------

    def summary(self):
        """A table of all parameters: name, shape, how many; and their sum."""
        self._need_params()
        rows = [(name, " x ".join(map(str, a.shape)), a.size) for name, a in tree.named(self.params)]
        wide = max(len(name) for name, _, _ in rows)
        lines = [f"{'parameter':<{wide}}  {'shape':>14}  {'numbers':>11}"]
        lines += [f"{name:<{wide}}  {shape:>14}  {size:>11,}" for name, shape, size in rows]
        lines += [f"{'in all':<{wide}}  {'':>14}  {sum(size for *_, size in rows):>11,}"]
        told = ", ".join(f"{k} {v}" for k, v in self.config.to_json().items() if v not in (None, False, 0.0))
        return "\n".join([f"vocabularies: {len(self.source_vocab)} source ({self.source_units}), "
                          f"{len(self.target_vocab)} target ({self.target_units})", told, "", *lines])

    def save(self, path, overwrite=False):
        """Write config.json, vocabulary.json and weights.safetensors into the directory `path`."""
        self._need_params()

        def write(run):
            run.write_model(self._description(), self.source_vocab, self.target_vocab)
            checkpoint.save_weights(run.weights, self.params, self.config)
        Run(path).create(write, overwrite)

    @classmethod
    def load(cls, path, backend=None):
        """Read what `save` or `fit(out=...)` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            Naming the file that is missing, broken, changed, or of another configuration.
        """
        run = Run(path)
        description, source_vocab, target_vocab = run.read_model()
        model = cls(description["config"], **description["units"], backend=backend)
        model.source_vocab, model.target_vocab = source_vocab, target_vocab
        model.source_tokenizer, model.target_tokenizer = (
            Tokenizer(unit, model.lowercase, pieces and Subwords.from_json(pieces)) for unit, pieces in (
                (model.source_units, description["subwords"].get("source")),
                (model.target_units, description["subwords"].get("target"))))
        model.lengths, model.origin, model.data = (description.get(name) for name in ("lengths", "origin", "data"))
        model.params = checkpoint.load_weights(run.weights, model.config)
        model.records = run.records()
        return model

    def _need_params(self):
        if self.params is None:
            raise ValueError("the model knows nothing yet: fit or load it first")


def attention_of(a):
    """Translation -> (alpha, source labels, target labels) for the plots; the end of the answer has a row."""
    return a.alpha, a.source, a.target + ["<eos>"] * (len(a.alpha) - len(a.target))


def safe_exp(x):
    """exp(x), infinite where it would overflow."""
    return math.exp(x) if x < 700 else math.inf


def text_pairs(name, pairs):
    """Pairs in any accepted form -> list of (source, target); ValueError, TypeError naming the argument."""
    if isinstance(pairs, str) or hasattr(pairs, "__fspath__"):
        pairs = read_pairs(pairs)
    if hasattr(pairs, "sources"):
        pairs = list(zip(pairs.sources, pairs.targets))
    if not isinstance(pairs, (list, tuple)):
        raise TypeError(f"{name}: got {type(pairs).__name__}, wanted a list of (source, target), or a path")
    if not pairs:
        raise ValueError(f"{name}: none, wanted at least one (source, target)")
    for i, pair in enumerate(pairs):
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(t, str) for t in pair)):
            raise TypeError(f"{name}[{i}]: {pair!r}, wanted (source, target), two strings")
        if not pair[0].strip():
            raise ValueError(f"{name}[{i}]: the source is empty")
        try:
            "".join(pair).encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name}[{i}]: {pair!r} holds half of a surrogate pair, which is no character") from None
    return [tuple(pair) for pair in pairs]


def hold_out(pairs, seed):
    """Divide (source, target) pairs into training and validation pairs that share no source."""
    sources = len(dict.fromkeys(x for x, _ in pairs))
    if sources == 1:
        raise ValueError("pairs: one source only, so none can be held out; give valid")
    share = min(max(HELD_OUT, 1 / sources), AT_MOST / sources)
    return [list(zip(*part)) for part in split_by_source(*zip(*pairs), share, seed)]


def fingerprint(pairs, valid):
    """SHA-256 of all texts in order: to know the same data again."""
    h = hashlib.sha256()
    for part in (pairs, valid):
        for x, y in part:
            h.update(f"{x}\t{y}\n".encode())
        h.update(b"\0")
    return h.hexdigest()


@contextmanager
def stop_signals():
    """Turn Ctrl-C and SIGTERM into a wish that training asks for between steps; a second Ctrl-C stops at once."""
    seen = []

    def note(number, frame):
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    old = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)
           if signal.getsignal(s) is not signal.SIG_IGN}        # ignored in a job of the background
    try:
        yield lambda: seen[0] if seen else None
    finally:
        for s, handler in old.items():
            signal.signal(s, handler)


class Display:
    """A progress bar on a terminal, and one line for each evaluation anywhere."""

    def __init__(self, training, examples, state, visible):
        from tqdm import tqdm
        self.visible, self.batches = visible, math.ceil(examples / training.batch)
        self.exact = None
        self.bar = tqdm(total=training.epochs * self.batches, initial=state.step if state else 0, unit="batch",
                        disable=True if not visible else None, file=sys.stderr, dynamic_ncols=True)

    def step(self, progress, loss):
        self.bar.update(1)
        held = "" if self.exact is None else f", exact match {self.exact:.1%}"
        self.bar.set_postfix_str(f"loss {loss:.4f}{held}", refresh=False)

    def epoch(self, row):
        self.exact = row["valid_exact_match"]
        if self.visible:
            line = (f"epoch {row['epoch']:g}: loss {row['train_loss']:.4f}, held out: teacher-forced "
                    f"{row['valid_loss_teacher_forced']:.4f}, free-running {row['valid_loss_free_running']:.4f}, "
                    f"tokens right {row['valid_token_accuracy']:.2%}, exact match {row['valid_exact_match']:.2%}")
            self.bar.write(line, file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()
