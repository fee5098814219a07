"""Beam search: keep the K most probable beginnings of each length; finished ones are ranked by log p / length**a.

A live beginning with log p = L can still reach L / max_length**a at most.  So when the n-best list is full and its last
score is not below that bound, nothing live can displace it.
"""
import torch

from model import BOS, EOS, SPECIAL


@torch.no_grad()
def beam(model, source, mask, max_length, width, length_penalty=1.0, nbest=1):
    """-> for each source a list of (ids without the end, log p, finished), the best first."""
    return [one(model, source[mask[:, n], n:n + 1], max_length, width, length_penalty, nbest)
            for n in range(source.shape[1])]


def one(model, source, max_length, width, length_penalty, nbest):
    """The same for one source (T, 1) or (T, 1, F) without padding, which stands in a batch `width` times."""
    source = source.repeat_interleave(width, dim=1)
    state, memory = model.start(source, torch.ones(source.shape[:2], dtype=torch.bool))
    live, ids, kept = [([], 0.0)], torch.full((width,), BOS), []
    for length in range(1, max_length + 1):
        logits, state = model.advance(ids, state, memory)
        log_p = torch.log_softmax(logits[:len(live)].double(), dim=1)
        log_p[:, list(SPECIAL)] = -torch.inf
        total = (torch.tensor([score for _, score in live], dtype=torch.float64)[:, None] + log_p).flatten()
        best = torch.argsort(total, descending=True, stable=True)[:width].tolist()
        going = []
        for at in best:
            row, token, score = at // log_p.shape[1], at % log_p.shape[1], float(total[at])
            if score == -float("inf"):
                continue
            if token == EOS:
                kept.append((live[row][0], score, True, score / length ** length_penalty))
            else:
                going.append((row, live[row][0] + [token], score))
        kept = sorted(kept, key=lambda h: -h[3])[:nbest]
        bound = going[0][2] / max_length ** length_penalty if going else -float("inf")
        if not going or len(kept) == nbest and bound <= kept[-1][3]:
            live = []
            break
        rows = torch.tensor([row for row, _, _ in going] + [0] * (width - len(going)))     # the last fill the batch
        ids = torch.tensor([words[-1] for _, words, _ in going] + [BOS] * (width - len(going)))
        state, live = select(state, rows), [(words, score) for _, words, score in going]
    cut_off = [(words, score, False, None) for words, score in live]
    return [(words, score, finished) for words, score, finished, _ in (kept + cut_off)[:nbest]]


def select(state, rows):
    """Rows of all tensors of nested lists and tuples."""
    return state[rows] if isinstance(state, torch.Tensor) else [select(part, rows) for part in state]
