"""A trained run in the book: its weights, its vocabularies, and what the page's Python needs of its Config."""
import base64
import html
import json

import numpy as np

from ...core import tree
from ...model import seq2seq
from . import pages
from .words import both, both_html

HIDDEN, NUMBERS, GRADIENT = 64, 250_000, 2_500     # units at most, weights at most; weights up to which backward runs
UNITS = ("char", "space")
CHOICES = ("cell", "hidden", "layers", "residual", "bidirectional", "bridge", "attention", "context", "attention_order",
           "fusion", "input_feeding", "readout", "reverse_source")


def payload(model, name):
    """What the page gets of a run.

    Parameters
    ----------
    model : Seq2Seq
    name : str

    Raises
    ------
    ValueError
        The run is too large, or of a kind that the page's Python cannot compute or read.
    """
    check(model)
    p = seq2seq.untie(model.params, model.config)
    arrays = dict(tree.named(p))
    flat = np.concatenate([np.ravel(a) for a in arrays.values()]).astype("<f4")
    return {"name": name, "config": {choice: getattr(model.config, choice) for choice in CHOICES},
            "arrays": [[key, list(a.shape)] for key, a in arrays.items()], "data": base64.b64encode(flat).decode(),
            "source": list(model.source_vocab.symbols), "target": list(model.target_vocab.symbols),
            "source_unit": model.source_tokenizer.unit, "target_unit": model.target_tokenizer.unit,
            "lowercase": model.source_tokenizer.lowercase, "gradient": int(flat.size) <= GRADIENT,
            "longest": min(40, model.max_length or 40)}


def check(model):
    """Refuse what cannot be embedded, and say the limit."""
    c = model.config
    if c.architecture != "recurrent" or "frames" in (c.source, c.target):
        raise ValueError(f"run: architecture={c.architecture}, source={c.source}, target={c.target}: the page runs "
                         "recurrent models of tokens")
    if c.hidden > HIDDEN:
        raise ValueError(f"run: hidden={c.hidden}, wanted at most {HIDDEN}: more is too slow in a page")
    size = sum(a.size for _, a in tree.named(model.params))
    if size > NUMBERS:
        raise ValueError(f"run: {size:,} weights, wanted at most {NUMBERS:,}: more is too large for a page")
    if model.source_tokenizer.unit not in UNITS:
        raise ValueError(f"run: source units {model.source_tokenizer.unit}, wanted one of {', '.join(UNITS)}: the page "
                         "cuts texts by these alone")
    if any(a.dtype != np.float32 for _, a in tree.named(model.params)):
        raise ValueError("run: wanted float32 weights")


def page(run):
    """The article of a run."""
    title = both_html(f"Your run: {html.escape(run['name'])}", f"你的模型：{html.escape(run['name'])}")
    lead = both("Type a text. The model reads it token by token, then writes; below each written token stand its "
                "rivals: choose one, and the model goes on from there.",
                "输入一段文字。模型逐个读入词元，然后写出答案；每个写出的词元下面列出其他候选：选一个，模型就从那里继续写。")
    label = both("text", "文字")
    go, tree_ = both("read and write", "读入并写出"), both("beam tree", "束搜索树")
    back = both("forward and backward" if run["gradient"] else "forward; for the gradient the model is too large here: "
                "see minis2s trace", "前向与反向" if run["gradient"] else "仅前向；此模型太大，梯度请用 minis2s trace 查看")
    body = (f'<p class="lead">{lead}</p><form id="ask" class="drag"><label>{label} <input id="text" type="text" '
            f'autocomplete="off" dir="auto"></label><button>{go}</button>'
            f'<button type="button" id="grow">{tree_}</button>'
            f'</form><p class="state" id="run-state" aria-live="polite"></p>'
            f'<section class="said"><h3>{both("Reading", "读入")}</h3><div id="reading" class="cells"></div></section>'
            f'<section class="said"><h3>{both("Writing", "写出")}</h3><div id="writing" class="cells"></div>'
            f'<p id="answer" dir="auto"></p></section>'
            f'<section class="said"><h3>{both("Attention", "注意力")}</h3><div id="looked" class="scroll" tabindex="0" '
            f'role="group" aria-label="attention"></div></section>'
            f'<section class="said"><h3>{tree_}</h3><div id="tree" class="scroll" tabindex="0" role="group" '
            f'aria-label="beam"></div></section>'
            f'<section class="said"><h3>{both("The chosen cell", "选中的单元")} <small>{back}</small></h3>'
            f'<div id="inside"></div></section>')
    return pages.article("run", title, body)


def data(run):
    """The run for a script element."""
    return json.dumps(run, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
