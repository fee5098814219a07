import heapq

import numpy as np

from .style import solves


@solves("shift-targets", "loops")
def shift_loops(answers):
    S, N = max(len(y) for y in answers) + 1, len(answers)
    inputs, targets, mask = np.zeros((S, N), int), np.zeros((S, N), int), np.zeros((S, N), bool)
    for n, y in enumerate(answers):
        for t, token in enumerate([1, *y]):
            inputs[t, n] = token
        for t, token in enumerate([*y, 2]):
            targets[t, n], mask[t, n] = token, True
    return inputs, targets, mask


@solves("shift-targets", "batch first inside, turned at the end")
def shift_batch_first(answers):
    S = max(map(len, answers)) + 1
    rows = [[1, *y, 2] + [0] * (S - 1 - len(y)) for y in answers]
    whole = np.array(rows)
    targets = whole[:, 1:]
    inputs = np.where(whole[:, :-1] == 2, 0, whole[:, :-1])
    return inputs.T, targets.T, targets.T != 0


@solves("shift-targets", "two views of one array, int32")
def shift_views(answers):
    S = max(map(len, answers)) + 2
    whole = np.zeros((S, len(answers)), np.int32)
    whole[0] = 1
    for n, y in enumerate(answers):
        whole[1:len(y) + 1, n] = y
    targets = whole[1:].copy()
    lengths = np.array([len(y) for y in answers])
    targets[lengths, range(len(answers))] = 2
    return whole[:-1], targets, np.arange(S - 1)[:, None] <= lengths


@solves("teacher-forcing", "inputs made first")
def forcing_inputs(step, s0, targets):
    inputs, s, out = np.vstack([np.ones_like(targets[:1]), targets[:-1]]), s0, []
    for ids in inputs:
        logits, s = step(ids, s)
        out.append(logits)
    return np.array(out)


@solves("teacher-forcing", "an own buffer")
def forcing_buffer(step, s0, targets):
    logits, s = step(np.ones(targets.shape[1], int), s0)
    out = np.empty((*targets.shape, logits.shape[1]))
    out[0] = logits
    for t in range(1, len(targets)):
        out[t], s = step(targets[t - 1], s)
    return out


@solves("teacher-forcing", "each example by itself, batch first, where step allows all only")
def forcing_recursive(step, s0, targets):
    def rest(t, ids, s):
        if t == len(targets):
            return []
        logits, s = step(ids, s)
        return [logits, *rest(t + 1, targets[t], s)]
    return np.stack(rest(0, np.array([1] * targets.shape[1]), s0), axis=1).swapaxes(0, 1)


@solves("greedy", "a done flag")
def greedy_done(step, s0, max_length):
    N = len(s0)
    ids, s, done, out = np.ones(N, int), s0, np.zeros(N, bool), np.zeros((max_length, N), int)
    for t in range(max_length):
        logits, s = step(ids, s)
        ids = np.where(done, 0, np.argmax(logits, axis=1))
        out[t] = ids
        done |= ids == 2
        if done.all():
            break
    return out


@solves("greedy", "decode on, cut afterwards")
def greedy_cut(step, s0, max_length):
    rows, ids, s = [], [1] * len(s0), s0
    for _ in range(max_length):
        logits, s = step(np.array(ids), s)
        ids = [int(row.argmax()) for row in logits]
        rows.append(ids)
    out = np.array(rows)
    for n in range(out.shape[1]):
        ends = np.flatnonzero(out[:, n] == 2)
        if len(ends):
            out[ends[0] + 1:, n] = 0
    return out


@solves("greedy", "by softmax, batch first inside, a cumulative mask")
def greedy_cumulative(step, s0, max_length):
    out, ids, s = np.zeros((len(s0), max_length), np.int64), np.full(len(s0), 1), s0
    for t in range(max_length):
        a, s = step(ids, s)
        p = np.exp(a - a.max(axis=1, keepdims=True))
        ids = (p / p.sum(axis=1, keepdims=True)).argmax(axis=-1)
        out[:, t] = ids
    ended = np.cumsum(out == 2, axis=1) - (out == 2)
    return np.where(ended > 0, 0, out).T


@solves("beam-step", "flat argsort")
def beam_argsort(log_p, log_q, width):
    total = (log_p[:, None] + log_q).reshape(-1)
    at = np.argsort(total)[::-1][:width]
    return total[at], *np.divmod(at, log_q.shape[1])


@solves("beam-step", "a list of candidates, sorted")
def beam_sorted(log_p, log_q, width):
    found = [(log_p[k] + log_q[k, v], k, v) for k in range(len(log_p)) for v in range(log_q.shape[1])]
    found.sort(reverse=True)
    scores, rows, tokens = zip(*found[:width])
    return np.array(scores), np.array(rows), np.array(tokens)


@solves("beam-step", "a heap of the best of each hypothesis")
def beam_heap(log_p, log_q, width):
    order = np.argsort(-log_q, axis=1)
    heap = [(-(p + log_q[k, order[k, 0]]), k, 0) for k, p in enumerate(log_p)]
    heapq.heapify(heap)
    out = []
    while len(out) < width:
        score, k, place = heapq.heappop(heap)
        out.append((-score, k, order[k, place]))
        if place + 1 < order.shape[1]:
            heapq.heappush(heap, (-(log_p[k] + log_q[k, order[k, place + 1]]), k, place + 1))
    scores, rows, tokens = map(np.array, zip(*out))
    return scores, rows.astype(np.int32), tokens
