"""Config: one frozen record that names every choice of a model, and refuses what cannot be."""
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

from .choices import (  # noqa: F401  all of them have their public place here
    CHOICES, RECURRENT, TRANSFORMER, USUAL, impossible_recurrent, impossible_source, impossible_target,
    impossible_transformer, renamed
)


@dataclass(frozen=True)
class Config:
    """Every choice of a model; None means "the usual choice for the rest" and is replaced on construction.

    Parameters
    ----------
    source_vocab, target_vocab : int or None
        Vocabulary sizes V, the four special tokens included; None until the data are known.
    source : {"tokens", "frames"}
        What a source is made of; frames are rows of numbers, such as 10 ms of sound or the columns of a picture.
    frame_size : int or None
        The numbers of a frame, F; None with tokens, and until the data are known.
    stack : int or None
        How many neighbouring frames are read as one step; None: 1 with frames.
    target : {"tokens", "frames"}
        What a target is made of; frames are rows of numbers, such as 10 ms of sound.
    target_frame_size : int or None
        The numbers of a target's frame; None with tokens, and until the data are known.
    frames_per_step : int or None
        How many frames the decoder writes in one step, r; None: 1 with frames.
    frame_error : {"squared", "absolute"} or None
        What the loss of a frame's numbers is; None: squared with frames.
    architecture : {"recurrent", "transformer"}
        The choices from `cell` to `tied_cells`, but for `hidden` and `layers`, are those of the recurrent model;
        those from `heads` to `max_positions` are the Transformer's.
    cell : {"rnn", "rnn-sigmoid", "lstm", "gru", "gru-after"}
        phi of (R2) is tanh in "rnn", sigmoid in "rnn-sigmoid" (A4.1).  The reset gate comes before the recurrent
        product in "gru" (Cho 2014), after it in "gru-after" (PyTorch).
    embedding, hidden : int
        E and H.  In a Transformer embeddings and states have one size D, `hidden`.
    layers : int
        On each side.
    residual : bool
        A path around every layer but the first of a side, (RC1).
    bidirectional : bool
        The encoder also reads each sequence from its end.
    bridge : {"copy", "dense", "zeros"} or None
        How encoder states become decoder states; None: copy, or dense where two directions forbid it.
    attention : {"none", "dot", "scaled", "general", "additive", "concat-dot"} or None
        None: additive, or none where `context` says "init" or "every-step".
    attention_size : int or None
        A, the hidden layer of the additive score; None: `hidden`.
    context : {"init", "every-step", "attention"} or None
        What the decoder knows of the source: its initial state only, the final state at every step (C2.2), or
        attention.  None: "attention" where there is a score, else "init".
    attention_order : {"before", "after"}
        Attention before the cell, from s_{t-1} (Bahdanau), or after it, from s_t (Luong).
    fusion : {"none", "concat", "sum", "sigmoid", "tanh"} or None
        How state and context become what is read out; None: "concat" where there is a context.
    input_feeding : bool
        The fused state of step t-1 is part of the cell's input at step t (Luong).
    readout : {"state", "state-context", "copy"}
        softmax(W z + b), or softmax(W [z; ctx] + b), with z the fused state; "copy" reads [z; ctx; E[y_{t-1}]] and
        mixes its softmax with the attention weights of the source's words (layers/copying.py), in one vocabulary.
    tied_cells : bool
        Encoder and decoder share their cells' weights (D3.s).
    heads : int or None
        Of multi-head attention; must divide `hidden`.  None: 4.
    feed_forward : int or None
        F, the hidden units of the feed-forward layers; None: 4 times `hidden`.
    feed_forward_activation : {"relu", "gelu"} or None
        None: relu.
    norm : {"pre", "post"} or None
        Layer normalisation before each sub-layer, or after each sum (see residual.py); None: pre.
    positions : {"sinusoidal", "learned"} or None
        None: sinusoidal.
    max_positions : int or None
        How many positions are learned; None: 256 where they are learned.
    tied_embedding : bool
        The output matrix is the transpose of the target embedding.
    dropout : float in [0, 1)
        Recurrent: of the layers' inputs and of the readout's, one mask for all steps of a sequence.  Transformer:
        of every sub-layer's output and of the sum of embedding and position, as in the paper.
    label_smoothing : float in [0, 1)
    reverse_source : bool
        Sources are fed last token first (Sutskever et al. 2014).
    dtype : {"float32", "float64"}

    Raises
    ------
    ValueError, TypeError
        For a value or a combination that cannot be, with a sentence that says why.
    """
    source_vocab: int | None = None
    target_vocab: int | None = None
    source: str = "tokens"
    frame_size: int | None = None
    stack: int | None = None
    target: str = "tokens"
    target_frame_size: int | None = None
    frames_per_step: int | None = None
    frame_error: str | None = None
    architecture: str = "recurrent"
    cell: str = "lstm"
    embedding: int = 64
    hidden: int = 128
    layers: int = 1
    residual: bool = False
    bidirectional: bool = False
    bridge: str | None = None
    attention: str | None = None
    attention_size: int | None = None
    context: str | None = None
    attention_order: str = "after"
    fusion: str | None = None
    input_feeding: bool = False
    readout: str = "state"
    tied_cells: bool = False
    heads: int | None = None
    feed_forward: int | None = None
    feed_forward_activation: str | None = None
    norm: str | None = None
    positions: str | None = None
    max_positions: int | None = None
    tied_embedding: bool = False
    dropout: float = 0.0
    label_smoothing: float = 0.0
    reverse_source: bool = False
    dtype: str = "float32"

    def __post_init__(self) -> None:
        self._check_types()
        self._check_architecture()
        self._resolve()
        self._check_combinations()

    # sizes that follow from the choices -------------------------------------------------------------

    @property
    def step_size(self) -> int | None:
        """The numbers of one source step: those of `stack` frames."""
        return None if self.frame_size is None or self.stack is None else self.frame_size * self.stack

    @property
    def output_size(self) -> Any:
        """The numbers that the readout says at a step: a logit of each token, or r frames and the score of the stop."""
        if self.target == "tokens" or self.target_frame_size is None or self.frames_per_step is None:
            return self.target_vocab
        return self.frames_per_step * self.target_frame_size + 1

    @property
    def encoder_size(self) -> int:
        """Size of an encoder state h_t: H, or 2H for two directions."""
        return self.hidden * (2 if self.bidirectional else 1)

    @property
    def fused_size(self) -> int:
        """Size of the fused state z."""
        return self.hidden + (self.encoder_size if self.fusion == "concat" else 0)

    @property
    def readout_size(self) -> int:
        """Size of what the output matrix reads: z, [z; ctx], or [z; ctx; embedding]."""
        return (self.fused_size + (self.encoder_size if self.readout != "state" else 0)
                + (self.embedding if self.readout == "copy" else 0))

    @property
    def attends_before(self) -> bool:
        """Whether there is attention, with s_{t-1} as the query."""
        return self.context == "attention" and self.attention_order == "before"

    @property
    def attends_after(self) -> bool:
        """Whether there is attention, with s_t as the query."""
        return self.context == "attention" and self.attention_order == "after"

    @property
    def context_in_cell(self) -> bool:
        """Whether the context is part of the cell's input."""
        return self.context == "every-step" or self.attends_before

    @property
    def decoder_input_size(self) -> int:
        """Size of the decoder cell's input: [embedding; ctx; z of the last step], as far as they are fed."""
        return (self.embedding + (self.encoder_size if self.context_in_cell else 0)
                + (self.fused_size if self.input_feeding else 0))

    # construction -----------------------------------------------------------------------------------

    def _check_types(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None and "None" in str(f.type):
                continue
            if f.name in CHOICES:
                if value not in CHOICES[f.name]:
                    raise ValueError(f"{f.name}={value!r}: choose one of {', '.join(CHOICES[f.name])}")
            elif f.type is bool:
                if not isinstance(value, bool):
                    raise TypeError(f"{f.name}={value!r}: wanted True or False")
            elif f.type is float:
                if isinstance(value, bool) or not isinstance(value, Real):
                    raise TypeError(f"{f.name}={value!r}: wanted a number")
                if not 0 <= float(value) < 1:
                    raise ValueError(f"{f.name}={value!r}: wanted at least 0 and less than 1")
                object.__setattr__(self, f.name, float(value))
            else:
                smallest = 5 if f.name.endswith("vocab") else 1
                if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                    raise TypeError(f"{f.name}={value!r}: wanted a whole number")
                object.__setattr__(self, f.name, int(value))
                if value < smallest:
                    raise ValueError(f"{f.name}={value}: wanted at least {smallest}"
                                     + (" (four special tokens and one more)" if smallest == 5 else ""))

    def _check_architecture(self) -> None:
        """Refuse choices of the other architecture."""
        usual = {f.name: f.default for f in fields(self)}
        for name in RECURRENT if self.architecture == "transformer" else TRANSFORMER:
            if getattr(self, name) not in (usual[name], USUAL.get(name)):
                raise ValueError(f"{name}={getattr(self, name)}: architecture={self.architecture} has no such choice")

    def _resolve(self) -> None:
        def default(name: str, value: Any) -> None:
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        if self.source == "frames":
            default("stack", 1)
        if self.target == "frames":
            default("frames_per_step", 1)
            default("frame_error", "squared")
        if self.architecture == "transformer":
            default("heads", 4)
            default("feed_forward", 4 * self.hidden)
            default("feed_forward_activation", "relu")
            default("norm", "pre")
            default("positions", "sinusoidal")
            if self.positions == "learned":
                default("max_positions", 256)
        default("bridge", "dense" if self.bidirectional else "copy")
        default("attention", "additive" if self.context in (None, "attention") else "none")
        default("context", "init" if self.attention == "none" else "attention")
        default("fusion", "none" if self.context == "init" or self.readout == "copy" else "concat")

    def _check_combinations(self) -> None:
        of_architecture = impossible_transformer if self.architecture == "transformer" else impossible_recurrent
        for is_wrong, why in impossible_source(self) + impossible_target(self) + of_architecture(self):
            if is_wrong:
                raise ValueError(why)

    def chosen(self) -> dict:
        """A dict of the choices that the architecture has."""
        others = RECURRENT if self.architecture == "transformer" else TRANSFORMER
        return {name: value for name, value in self.to_json().items() if name not in others}

    # as JSON ----------------------------------------------------------------------------------------

    def to_json(self) -> dict:
        """A dict of plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict) -> "Config":
        """The Config of a dict, which may have the names of an older version; ValueError for unknown names."""
        values = renamed(values)
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown configuration {', '.join(sorted(unknown))}")
        return cls(**values)
