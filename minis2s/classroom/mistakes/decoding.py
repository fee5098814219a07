"""Wrong shifts of the targets, teacher forcing, and greedy decoding."""
import numpy as np

from .mistake import recorder

PAD, BOS, EOS = 0, 1, 2
BANK, wrong = recorder()


# shift-targets -----------------------------------------------------------------------------------------

def laid_out(answers, first=(BOS,), last=(EOS,), inputs_last=(), extra=0, mask_extra=0):
    """Right arrays with switches: what stands before and behind each answer."""
    S, N = max(map(len, answers)) + 1 + extra, len(answers)
    inputs, targets, mask = np.zeros((S, N), int), np.zeros((S, N), int), np.zeros((S, N), bool)
    for n, y in enumerate(answers):
        a, b = [*first, *y, *inputs_last][:S], [*y, *last][:S]
        inputs[:len(a), n], targets[:len(b), n] = a, b
        mask[:len(y) + 1 + mask_extra, n] = True
    return inputs, targets, mask


ST = "shift-targets"


@wrong(ST, "not shifted", "",
       "inputs and targets are the same: the model is shown what it is asked for and learns to copy",
       "what the decoder has seen before step t")
def _not_shifted(answers):
    _, targets, mask = laid_out(answers)
    return targets.copy(), targets, mask


@wrong(ST, "inputs shown twice", "", "the targets begin with BOS: they are the inputs, not shifted",
       "what step 1 shall answer")
def _targets_with_bos(answers):
    inputs, _, mask = laid_out(answers)
    return inputs, inputs.copy(), mask


@wrong(ST, "EOS in the last row", "",
       "EOS stands in the last row for every answer: it belongs right behind each answer's own "
       "last token", "short answers")
def _eos_last(answers):
    inputs, targets, mask = laid_out(answers, last=())
    targets[-1] = EOS
    return inputs, targets, mask


@wrong(ST, "mask without EOS", "", "the mask leaves EOS out: the model would never learn to stop",
       "the length of each column: "
       "k + 1")
def _mask_short(answers):
    return laid_out(answers, mask_extra=-1)


@wrong(ST, "mask of all", "", "the mask is True everywhere: padding would count in the loss",
       "where an answer ends")
def _mask_all(answers):
    inputs, targets, mask = laid_out(answers)
    return inputs, targets, np.ones_like(mask)


@wrong(ST, "mask turned", "", "the mask is turned: True stands at padding", "True = real")
def _mask_turned(answers):
    inputs, targets, mask = laid_out(answers)
    return inputs, targets, ~mask


for name, says, look, switches in (
    ("no EOS", "the targets have no EOS: the model would never learn to stop", "what stands behind y_k",
     dict(last=())),
    ("EOS fed first", "the first input is EOS (2), not BOS (1)", "the first row of the inputs",
     dict(first=(EOS,))),
    ("PAD fed first", "the first input is PAD (0), not BOS (1)", "the first row of the inputs",
     dict(first=(PAD,))),
    ("EOS in the inputs", "EOS stands in the inputs, too: once it is answered, nothing more is fed",
     "what stands behind y_k in "
     "the inputs", dict(inputs_last=(EOS,))),
    ("BOS behind", "the targets end with BOS in place of EOS", "the ids of BOS and EOS", dict(last=(BOS,))),
):
    wrong(ST, name, "", says, look)(lambda answers, switches=switches: laid_out(answers, **switches))
wrong(ST, "swapped", "", "inputs and targets are returned in the wrong order", "the line with return")(
    lambda answers: (lambda i, t, m: (t, i, m))(*laid_out(answers)))
wrong(ST, "answers reversed", "", "the answers are turned around", "the order of y_1 ... y_k")(
    lambda answers: laid_out([y[::-1] for y in answers]))

# teacher-forcing ---------------------------------------------------------------------------------------


def decode(step, s0, targets, first=BOS, feed=None, hand_on=True, seen=None):
    """A right teacher-forced decoder with switches; feed(targets, t, logits so far) makes step t's tokens."""
    s, logits, ids = s0, [], np.full(targets.shape[1], first)
    for t in range(len(targets)):
        if t:
            ids = targets[t - 1] if feed is None else feed(targets, t, logits)
        if seen is not None:
            ids = seen(targets, t)
        out, new = step(ids, s)
        s = new if hand_on else s0
        logits.append(out)
    return np.stack(logits)


for name, says, look, switches in (
    ("argmax fed",
     "the model is fed its own most probable token, not the target: that is free running, as in decoding",
     "what is fed at step t", dict(feed=lambda targets, t, logits: logits[-1].argmax(axis=1))),
    ("state not handed on", "the decoder's state is not handed on: every step starts from s0",
     "the second thing that step returns",
     dict(hand_on=False)),
    ("EOS fed first", "the first token fed is EOS (2), not BOS (1)", "what is fed at step 1",
     dict(first=EOS)),
    ("PAD fed first", "the first token fed is PAD (0), not BOS (1)", "what is fed at step 1",
     dict(first=PAD)),
    ("target of the same step", "off by one: step t is fed the target it is asked for, so the answer leaks",
     "which target the model may have seen", dict(seen=lambda targets, t: targets[t])),
    ("BOS at every step", "BOS is fed at every step: the targets are not used", "what is fed at step t",
     dict(feed=lambda targets, t, logits: np.full(targets.shape[1], BOS))),
    ("first target at every step", "the first target is fed at every step", "the index of the target",
     dict(feed=lambda targets, t, logits: targets[0])),
    ("two steps back", "off by one: from step 3 on the target of t-2 is fed", "the index of the target",
     dict(feed=lambda targets, t, logits: targets[max(t - 2, 0)])),
    ("last target first",
     "the first token fed is the last row of the targets (targets[t-1] at t = 0 is targets[-1])",
     "what is fed at step 1", dict(seen=lambda targets, t: targets[t - 1])),
):
    wrong("teacher-forcing", name, "(D2)" if "state" not in name else "(D3)", says, look)(
        lambda step, s0, targets, switches=switches: decode(step, s0, targets, **switches))


@wrong("teacher-forcing", "targets backwards", "(D2)", "the targets are fed from their end",
       "the direction of the loop")
def _backwards(step, s0, targets):
    return decode(step, s0, targets, feed=lambda targets, t, logits: targets[-t])


@wrong("teacher-forcing", "probabilities", "(D7)",
       "the result is the softmax of the logits: wanted are the logits",
       "what is collected from step")
def _probabilities(step, s0, targets):
    a = decode(step, s0, targets)
    a = np.exp(a - a.max(axis=2, keepdims=True))
    return a / a.sum(axis=2, keepdims=True)


# greedy ------------------------------------------------------------------------------------------------

def greedy(step, s0, max_length, first=BOS, hand_on=True, stop=True, keep_eos=True, fill=PAD, feed=None,
           choose=None,
           all_stop=False):
    """A right greedy search with switches."""
    s, ids, done, out = s0, np.full(len(s0), first), np.zeros(len(s0), bool), []
    for t in range(max_length):
        logits, new = step(ids, s)
        s = new if hand_on else s0
        y = logits.argmax(axis=1) if choose is None else choose(logits)
        row = np.where(done & stop, fill, y)
        if not keep_eos:
            row = np.where(y == EOS, PAD, row)
        out.append(row)
        done = done | (y == EOS)
        if all_stop and done.any():
            break
        ids = y if feed is None else feed(y, t)
    out += [np.zeros(len(s0), int)] * (max_length - len(out))
    return np.stack(out)


for name, mark, says, look, switches in (
    ("state not handed on", "(D3)", "the decoder's state is not handed on: every step starts from s0",
     "the second thing that step "
     "returns", dict(hand_on=False)),
    ("EOS fed first", "(D2)", "the first token fed is EOS (2), not BOS (1)", "what is fed at step 1",
     dict(first=EOS)),
    ("PAD fed first", "(D2)", "the first token fed is PAD (0), not BOS (1)", "what is fed at step 1",
     dict(first=PAD)),
    ("no stop", "", "tokens go on behind EOS: an answer ends with its first EOS, then comes PAD",
     "which answers have ended",
     dict(stop=False)),
    ("EOS left out", "", "EOS itself is not written: it belongs to the answer",
     "the order of writing and ending",
     dict(keep_eos=False)),
    ("EOS behind EOS", "", "behind the first EOS stands EOS again, wanted is PAD",
     "what is written for answers that have ended",
     dict(fill=EOS)),
    ("BOS at every step", "(D2)", "BOS is fed at every step, not the token just chosen",
     "what is fed at step t",
     dict(feed=lambda y, t: np.full(len(y), BOS))),
    ("least probable", "", "the LEAST probable token is chosen", "argmin or argmax",
     dict(choose=lambda a: a.argmin(axis=1))),
    ("second best", "", "the second most probable token is chosen", "the order of the sorting",
     dict(choose=lambda a: a.argsort(axis=1)[:, -2])),
    ("all stop with the first", "", "all answers stop as soon as one of them has ended",
     "the test that ends the loop",
     dict(all_stop=True)),
    ("one answer for all", "", "every example gets the first example's token", "the axis of argmax",
     dict(choose=lambda a: np.full(len(a), a[0].argmax()))),
    ("one token of all", "", "the token is taken from the sum over examples", "the axis of argmax",
     dict(choose=lambda a: np.full(len(a), a.sum(axis=0).argmax()))),
):
    wrong("greedy", name, mark, says, look)(
        lambda step, s0, max_length, switches=switches: greedy(step, s0, max_length, **switches))


@wrong("greedy", "BOS in the answer", "", "the answer begins with BOS: it is fed, not answered",
       "the first row of the result")
def _with_bos(step, s0, max_length):
    ids = greedy(step, s0, max_length)
    return np.concatenate([np.full((1, len(s0)), BOS), ids[:-1]])


@wrong("greedy", "ended one step late", "",
       "an answer ends one step late: the token behind its first EOS is still written",
       "the order of writing and of noting who has ended")
def _late(step, s0, max_length):
    free, ids = greedy(step, s0, max_length, stop=False), greedy(step, s0, max_length)
    for n in range(ids.shape[1]):
        end = np.flatnonzero(ids[:, n] == EOS)
        if len(end) and end[0] + 1 < max_length:
            ids[end[0] + 1, n] = free[end[0] + 1, n]
    return ids


@wrong("greedy", "last step missing", "",
       "the last step is missing: max_length counts the steps, the last one included",
       "the range of the loop")
def _short(step, s0, max_length):
    ids = greedy(step, s0, max_length)
    return np.concatenate([ids[:-1], np.zeros((1, len(s0)), int)])
