"""What a trace holds, and how to ask for it by name: `tr.decoder.alpha[3]`."""
import difflib

import numpy as np

from .diff import first_difference
from .entry import Entry
from .position import Position


class View:
    """Some entries of a trace; attributes are the names of quantities.

    `view(layer=1, direction="backward", mark="L4", phase="backward")` narrows it down.
    """

    def __init__(self, entries, title):
        self._entries, self._title = entries, title

    @property
    def entries(self):
        return list(self._entries)

    def names(self):
        """Names of all quantities, in the order in which they first appear."""
        return list(dict.fromkeys(e.name for e in self._entries))

    def __call__(self, layer=None, direction=None, mark=None, phase=None):
        kept, mark = self._entries, mark and f"({mark.strip('()')})"
        for field, value, has in (("layer", layer, lambda e: e.layer == layer),
                                  ("direction", direction, lambda e: e.direction == direction),
                                  ("mark", mark, lambda e: mark in e.marks),
                                  ("phase", phase, lambda e: e.phase == phase)):
            if value is not None:
                before, kept = kept, [e for e in kept if has(e)]
                if not kept:
                    there = sorted({m for e in before for m in e.marks} if field == "mark"
                                   else {str(getattr(e, field)) for e in before})
                    raise LookupError(f"{self._title}: nothing with {field}={value!r}; "
                                      f"there is {', '.join(there)}")
        return View(kept, self._title)

    def __getitem__(self, name):
        found = [e for e in self._entries if e.name == name]
        if not found:
            near = difflib.get_close_matches(name, self.names(), n=4, cutoff=0.4) or self.names()[:12]
            raise AttributeError(f"{self._title} has no {name!r}; near: {', '.join(near)}")
        return Series(name, [e for e in found if e.role == "out"] or found, self._title)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self):
        return [*super().__dir__(), *self.names()]

    def __len__(self):
        return len(self._entries)

    def __repr__(self):
        return f"<{self._title}: {len(self)} entries: {', '.join(self.names())}>"


class Series:
    """One quantity through time: `series[0]` is its value at the first step, t = 1; of the top layer unless chosen.

    Where a step gives it more than once (h of the cell, then h after the mask) the last value counts.
    A quantity without steps of its own (the logits, made for all t at once) is indexed itself: `logits[3]`.
    """

    def __init__(self, name, entries, title):
        self.name, self._title = name, title
        layers = [e.layer for e in entries if e.layer is not None]
        if layers:
            entries = [e for e in entries if e.layer in (max(layers), None)]
        if len({e.direction for e in entries} - {None}) > 1:
            choices = " or ".join(f'{title}(direction="{way}").{name}' for way in ("forward", "backward"))
            raise LookupError(f"{title}: {name} of which direction? Choose {choices}")
        self.entries = entries
        self._at = {e.t: e for e in entries}

    @property
    def times(self):
        """The indices of the steps that have a value, from 0."""
        return sorted(t for t in self._at if t is not None)

    @property
    def value(self):
        """The one value of a quantity that has no steps (or only one)."""
        if None not in self._at and len(self._at) > 1:
            raise LookupError(f"{self._title}.{self.name} has a value for each of {len(self._at)} steps: "
                              "index it, [t]")
        return self._at.get(None, self.entries[-1]).value

    def stack(self):
        """Values of all steps, (T, ...)."""
        return np.stack([self._at[t].value for t in self.times]) if self.times else self.value

    def entry(self, t):
        """The Entry at index t."""
        try:
            return self._at[self.times[t] if t < 0 else t]
        except (KeyError, IndexError):
            raise IndexError(f"{self._title}.{self.name} has no index {t}; it has {self.times[0]} to "
                             f"{self.times[-1]}, which are the steps t = {self.times[0] + 1} to "
                             f"{self.times[-1] + 1}") from None

    def __getitem__(self, t):
        return self.entry(t).value if self.times else self.value[t]

    def __len__(self):
        return len(self.times) if self.times else len(self.value)

    def __repr__(self):
        e = self.entries[0]
        steps = f", t = {self.times[0] + 1} to {self.times[-1] + 1}" if self.times else ""
        return f"<{self._title}.{self.name} of {e.mark}, shape {e.shape}{steps}>"


class Trace(View):
    """Every quantity of every marked equation that ran.

    `tr.encoder`, `tr.decoder`, `tr.loss`, ... are the parts; `tr.h` is right where one part alone has an h.

    Attributes
    ----------
    entries : list of Entry
    source, target : tuple of str, or None
        Labels of the steps.
    masks : dict
        What is real, as far as it was seen: "encoder" (T, N), "decoder" (S, N), and "steps", (N,) for each
        (part, t) of a time loop.
    """

    def __init__(self, source=None, target=None):
        super().__init__([], "trace")
        self.source, self.target, self.masks = source, target, {}

    def parts(self):
        return list(dict.fromkeys(e.part for e in self._entries))

    def __getitem__(self, name):
        if name in self.parts():
            return View([e for e in self._entries if e.part == name], name)
        homes = list(dict.fromkeys(e.part for e in self._entries if e.name == name))
        if len(homes) > 1:
            raise AttributeError(f"{name!r} is in {', '.join(homes)}: ask for one of them, {homes[0]}.{name}")
        return self[homes[0]][name] if homes else super().__getitem__(name)

    def __dir__(self):
        return [*super().__dir__(), *self.parts()]

    def table(self, limit=None):
        """All entries (or the first `limit`) as a text table of at most 100 columns."""
        from .show import table
        return table(self._entries, limit)

    def diff(self, other, rtol=1e-9):
        """Where two runs part first, or None: see `minis2s.viewer.trace.diff.first_difference`."""
        return first_difference(self, other, rtol)

    def steps(self, wanted):
        """The same trace with the indices `wanted` of steps alone; what belongs to no single step is left out."""
        kept = Trace(self.source, self.target)
        kept._entries, kept.masks = [e for e in self._entries if e.t in wanted], self.masks
        return kept

    def html(self, title="minis2s trace"):
        """One self-contained page: see `minis2s.viewer.trace.page`."""
        from .page import page
        return page(self, title)

    def _record(self, marks, name, role, position, value, execution, inside, statement, filename):
        t, layer, direction, part, phase = position
        if role == "in" and name == "mask" and value.ndim == 2:
            self.masks["decoder" if part == "loss" else "encoder"] = value
        elif "(M1)" in marks and name == "real":
            self.masks.setdefault("steps", {})[part, t] = value[:, 0]
        self._entries.append(Entry(
            len(self._entries), marks, name, role, t, layer, direction, part, phase, self._label(position),
            value, execution, inside, filename, statement.line, statement.code))

    def _label(self, position: Position):
        labels = {"encoder": self.source, "decoder": self.target}.get(position.part)
        if labels is None or position.t is None:
            return None
        if position.t < len(labels):
            return labels[position.t]
        return "<eos>" if position.part == "decoder" and position.t == len(labels) else "<pad>"
