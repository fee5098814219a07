# %% [markdown]
r"""
# 11 · Translation: English to Chinese

*Reading 25 minutes, exercises 35 minutes.*

Document B (§4.3) translates 我 / 是 / 学生 and prints "he is a student". But 我 is *I*. Below, the library's
example trains on 27 sentences of this kind (four subjects, seven nouns) and *not* on this one. Then it is
asked. The columns are attention weights, a row for each word said.
"""

# %%
import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from minis2s import Config, Seq2Seq, Training
from minis2s import tasks
from minis2s.core import tree
from minis2s.viewer import plots
from minis2s.data.pairs import read_pairs
from minis2s.data.units import split
from minis2s.documents.examples import w3_student, w6_how_are_you
from minis2s.classroom.notebooks import attempt, judge, picture
from minis2s.decoding import hypotheses
from minis2s.decoding.beam import candidates

student = w3_student.run()
print(f"{'':10}" + "".join(f"{word:>6}" for word in w3_student.ASKED[0]))
for said, row in zip(student.answer, student.alpha):
    print(f"{said:10}" + "".join(f"{weight:8.2f}" for weight in row))
assert student.answer == ["I", "am", "a", "student"]

# %% [markdown]
r"""
Three words in, four out, all right, and never seen together: what it learned from other sentences it puts
together anew. This notebook does the same with thousands of sentences, the other way round.

## Own pairs

A model learns from a file with a pair on each line: source, TAB, target, in UTF-8. Here are twelve of them,
around document C's "Hello, how are you?". English is cut into words, Chinese into characters.
"""

# %%
def learn(path):
    """A small model for a small file, without held-out pairs."""
    model = Seq2Seq(Config(embedding=24, hidden=32), source_units="word", target_units="char",
                    backend="numba")
    pairs = read_pairs(path)
    return model.fit(pairs, valid=pairs, progress=False,
                     training=Training(epochs=60, batch=4, lr=0.01, lr_final=0.001))

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "mine.tsv"
    path.write_text("".join(f"{x}\t{y}\n" for x, y in w6_how_are_you.PAIRS), encoding="utf-8")
    small = learn(path)
for text in ("Hello, how are you?", "I am a student.", "I am a teacher."):
    known = "trained on" if text in dict(w6_how_are_you.PAIRS) else "new"
    print(f"{text:20} {small.translate(text)}  ({known})")
assert small.evaluate(w6_how_are_you.PAIRS)["exact_match"] > 0.9

# %% [markdown]
r"""
The first two are right, but they were in the file. "I am a teacher" was not, though "You are a teacher" was:
twelve pairs are learned by heart. Whether a model knows the *language* can only be asked with sentences that
it has not seen.

### Exercise 1: your own file

Write at least eight pairs of your own: one English sentence and its Chinese translation on each line. (No
Chinese? Take pairs from above and vary them: 我 I, 你 you, 他 he, 是 am/are/is, 学生 student, 老师 teacher,
医生 doctor, 吗 a question.) The check trains on your file, and wants every sentence back.
"""

# %% exercise="own-tsv"
def write_tsv(path):
    """Write at least eight different pairs to `path` (a pathlib.Path): English TAB Chinese, UTF-8."""
    ### BEGIN SOLUTION
    lines = [f"{en} a {noun}.\t{zh}是{word}。" for en, zh in (("I am", "我"), ("You are", "你"), ("He is", "他"))
             for noun, word in (("student", "学生"), ("teacher", "老师"), ("doctor", "医生"))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ### END SOLUTION

# %% check="own-tsv"
with attempt("own-tsv"), tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "mine.tsv"
    write_tsv(path)
    assert path.exists(), "There is no file at `path`."
    try:
        mine = read_pairs(path)
    except ValueError as e:
        raise AssertionError(str(e).replace(str(path), "your file")) from None
    different = len(set(mine.sources))
    assert different >= 8, f"{different} different sources, wanted at least 8."
    for source, target in zip(mine.sources, mine.targets):
        assert any("一" <= c <= "鿿" for c in target), f"Beside {source!r} stands {target!r}: no Chinese."
    right = learn(path).evaluate(path)["exact_match"]
    assert right > 0.9, f"After training only {right:.0%} come back right: are some far longer than others?"

# %% [markdown]
r"""
## Five thousand pairs, and a test that is fair

The task `phrases` makes sentences from a small grammar of both languages. They are not word for word: time
and place stand before the verb, 了 marks the past and 没 takes its place when denied, nouns take measure
words (一*本*书, 两*只*猫). Certain *combinations*, a verb with a noun, say, are never trained; each sentence of
the test has one. We train twice, with additive attention and without: 64 units, 6 epochs, all else equal.
"""

# %%
data = tasks.load("phrases", sizes={"train": 5000, "valid": 200, "test": 400})
for x, y in data.test[:3]:
    print(f"{x:50} {y}")

def train(attention):
    model = Seq2Seq(Config(hidden=64, embedding=32, dropout=0.1, attention=attention),
                    source_units="word", target_units="char", backend="numba")
    return model.fit(data.train, valid=data.valid, progress=False,
                     training=Training(epochs=6, batch=32, lr=8e-3, lr_final=2e-4, clip=1.0))

models = {"additive attention": train("additive"), "no attention": train("none")}
sources, wanted = zip(*data.test)
answers, right = {}, {}
for name, model in models.items():
    answers[name] = [best[0] for best in model.decode(sources)]
    right[name] = np.array([a.text == y for a, y in zip(answers[name], wanted)])
for name in models:
    print(f"{name:20} {right[name].mean():.0%} of {len(data.test)} new sentences right, every character")
assert right["additive attention"].mean() > right["no attention"].mean() + 0.2

# %%
with picture("Learning curves over 6 epochs. Left: the validation loss with attention "
             "falls much faster than without. Right: the share of validation sentences "
             "translated exactly rises with attention and stays low without.",
             8, 2.7, columns=2) as (loss, share):
    for (name, model), dashes in zip(models.items(), ("-", "--")):
        epochs = [row["epoch"] for row in model.records]
        loss.plot(epochs, [row["valid_loss_teacher_forced"] for row in model.records], dashes, marker="o",
                  label=name)
        share.plot(epochs, [row["valid_exact_match"] for row in model.records], dashes, marker="o")
    loss.set(xlabel="epoch", ylabel="loss, nats per token")
    share.set(xlabel="epoch", ylabel="exact match", ylim=(-0.03, 1))
    loss.legend()

# %% [markdown]
r"""
Without attention all that the decoder learns of the sentence must fit into the encoder's last state. So the
errors should grow with the length. Do they?
"""

# %%
lengths = np.array([len(split(x, "word")) for x in sources])
bins = [(0, 5), (6, 7), (8, 9), (10, 99)]                               # words and full stop
groups = [(lengths >= a) & (lengths <= b) for a, b in bins]
wrong = {name: [1 - ok[group].mean() for group in groups] for name, ok in right.items()}
with picture("Bars: share of wrong answers by length of the source. Without attention "
             "most of the shortest are wrong and nearly all of the longest. With "
             "attention about a quarter is wrong, whatever the length.", 8, 2.6) as axes:
    for k, (name, hatch) in enumerate(zip(models, ("", "//"))):
        axes.bar(np.arange(len(bins)) + 0.4 * k - 0.2, wrong[name], 0.38, hatch=hatch, edgecolor="white",
                 label=name)
    axes.set_xticks(range(len(bins)), ["up to 5", "6, 7", "8, 9", "10 and more"])
    axes.set(xlabel="tokens of the source", ylabel="wrong", ylim=(0, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
for (a, b), group, *shares in zip(bins, groups, *wrong.values()):
    print(f"{a:2d} to {b:2d} tokens, {group.sum():3d} sentences: wrong "
          + ", ".join(f"{share:.0%} with {name}" for share, name in zip(shares, models)))
assert all(w < wo for w, wo in zip(*wrong.values())) and wrong["no attention"][-1] > wrong["no attention"][0]

# %% [markdown]
r"""
Yes, without attention: of the longest hardly one is right. With attention the length makes little
difference: the context is made anew for each character.

## Where it looks

Attention maps of three sentences. Characters are labelled by how they are said (pinyin), so that the labels
need no Chinese font.
"""

# %%
PINYIN = dict(pair.split("=") for pair in """
我=wǒ 你=nǐ 他=tā 她=tā 们=men 的=de 了=le 不=bù 没=méi 有=yǒu 是=shì 在=zài 吗=ma 什=shén 么=me 几=jǐ 哪=nǎ 这=zhè 那=nà
些=xiē 很=hěn 多=duō 会=huì 想=xiǎng 正=zhèng 看=kàn 见=jiàn 买=mǎi 卖=mài 吃=chī 喝=hē 写=xiě 画=huà 借=jiè 洗=xǐ
穿=chuān 戴=dài 着=zhe 去=qù 坐=zuò 骑=qí 开=kāi 做=zuò 唱=chàng 跳=tiào 游=yóu 泳=yǒng 弹=tán 锻=duàn 炼=liàn 工=gōng
作=zuò 学=xué 习=xí 一=yī 二=èr 两=liǎng 三=sān 十=shí 本=běn 只=zhī 个=gè 张=zhāng 条=tiáo 件=jiàn 杯=bēi 瓶=píng 碗=wǎn
双=shuāng 辆=liàng 匹=pǐ 棵=kē 朵=duǒ 把=bǎ 封=fēng 份=fèn 台=tái 间=jiān 栋=dòng 顶=dǐng 家=jiā 根=gēn 书=shū 猫=māo
狗=gǒu 鱼=yú 鸟=niǎo 马=mǎ 花=huā 树=shù 车=chē 汽=qì 自=zì 行=xíng 火=huǒ 飞=fēi 机=jī 桌=zhuō 椅=yǐ 子=zi 橙=chéng
苹=píng 果=guǒ 香=xiāng 蕉=jiāo 鸡=jī 蛋=dàn 面=miàn 米=mǐ 饭=fàn 水=shuǐ 茶=chá 咖=kā 啡=fēi 牛=niú 奶=nǎi 啤=pí 酒=jiǔ
信=xìn 报=bào 纸=zhǐ 杂=zá 志=zhì 小=xiǎo 说=shuō 图=tú 地=dì 电=diàn 脑=nǎo 手=shǒu 伞=sǎn 雨=yǔ 帽=mào 裤=kù 鞋=xié
衬=chèn 衫=shān 大=dà 衣=yī 人=rén 朋=péng 友=yǒu 生=shēng 老=lǎo 师=shī 医=yī 院=yuàn 护=hù 士=shì 爸=bà 妈=mā 哥=gē
妹=mèi 孩=hái 演=yǎn 员=yuán 司=sī 程=chéng 农=nóng 民=mín 当=dāng 非=fēi 房=fáng 站=zhàn 钢=gāng 琴=qín 棋=qí 身=shēn
体=tǐ 商=shāng 共=gòng 今=jīn 昨=zuó 明=míng 天=tiān 早=zǎo 晚=wǎn 上=shàng 下=xià 每=měi 星=xīng 期=qī 常=cháng 里=lǐ
公=gōng 园=yuán 店=diàn 市=shì 场=chǎng 校=xiào 馆=guǎn 北=běi 京=jīng 海=hǎi 中=zhōng 文=wén 英=yīng 新=xīn 旧=jiù
贵=guì 便=pián 宜=yi 漂=piào 亮=liang 红=hóng 白=bái 黑=hēi 色=sè 舞=wǔ 歌=gē 。=. ？=? <eos>=end""".split())

def said(token):
    return PINYIN.get(token, f"U+{ord(token):04X}" if len(token) == 1 else token)

model = models["additive attention"]
texts = {"He bought two new books yesterday.": "他昨天买了两本新书。",
         "There aren't any apples on the table.": "桌子上没有苹果。",
         "How many cats did you see in the park yesterday?": "你昨天在公园看见了几只猫？"}
maps = []
for (text, reference), (best, *_) in zip(texts.items(), model.decode(list(texts))):
    print(f"{text:50} {best.text}" + ("" if best.text == reference else f"   (wanted: {reference})"))
    ends = ["<eos>"] * (len(best.alpha) - len(best.target))
    maps.append((best.alpha, best.source, [said(token) for token in best.target + ends]))
drawn = plots.attention_grid(maps)
drawn.set_dpi(144)
drawn.canvas.draw()
with picture("Three attention maps, English above, Chinese down the side. The order of "
             "the words differs, so there is no diagonal: time and place stand near "
             "the end in English and are looked at early in Chinese. The bright cells "
             "stand at the English word or one to its right.",
             *drawn.get_size_inches() * 0.66) as axes:
    axes.imshow(np.asarray(drawn.canvas.buffer_rgba()))
    axes.axis("off")
weights = maps[0][0][1]                                                 # row 2, where Chinese says yesterday
print(f"昨: weight {weights[-2]:.2f} on yesterday, {weights[-1]:.2f} on the full stop")
assert all(abs(alpha.sum(axis=1) - 1).max() < 1e-3 for alpha, *_ in maps)

# %% [markdown]
r"""
Read such maps with care. For 昨 (the first half of *yesterday*) the model looks at the *full stop*. That is
no error: $h_t$ has read all words up to $t$, so the state behind a word still holds it. **A weight says where
the model looks, not from which word it knows.**

### Exercise 2: ablate the attention

*To ablate* is to take a part out and see what is lost. Two cuts, made in the trained parameters `p` (a
`seq2seq.Params`; change fields with `_replace`):

- **uniform**: each source position gets the same weight, whatever the state. The score is
  $\tanh(\dots)\,v$, with $v$ in `p.decoder.score.v`.
- **no context**: the readout $[s; ctx]\,W + b$ reads nothing from $ctx$. `p.decoder.readout.W` is $(2H, V)$;
  its first $H$ rows belong to $s$.

First the guess: which share of the test is still right after each cut? 0.25 off is near enough.
"""

# %% exercise="ablate"
def guess():
    """-> {"uniform": share from 0 to 1, "no context": share}"""
    ### BEGIN SOLUTION
    return {"uniform": 0.1, "no context": 0.0}      # the decoder has learned to rely on where it looks
    ### END SOLUTION

def uniform(p):
    """seq2seq.Params -> Params of a model that looks everywhere alike."""
    ### BEGIN SOLUTION
    score = p.decoder.score._replace(v=0 * p.decoder.score.v)
    return p._replace(decoder=p.decoder._replace(score=score))
    ### END SOLUTION

def no_context(p):
    """seq2seq.Params -> Params of a model whose readout sees the state s alone."""
    ### BEGIN SOLUTION
    W = p.decoder.readout.W.copy()
    W[len(W) // 2:] = 0
    return p._replace(decoder=p.decoder._replace(readout=p.decoder.readout._replace(W=W)))
    ### END SOLUTION

# %% check="ablate" points=2
with attempt("ablate"):
    shares, whole = guess(), model.params
    v, W = whole.decoder.score.v.copy(), whole.decoder.readout.W.copy()
    W_s = np.concatenate([W[:64], 0 * W[64:]])                          # 64 is H
    for name, cut, v_cut, W_cut in (("uniform", uniform, 0 * v, W), ("no context", no_context, v, W_s)):
        ablated = cut(tree.map(np.copy, whole))
        score, readout = ablated.decoder.score, ablated.decoder.readout
        assert (score.v == v_cut).all(), f"{name}: p.decoder.score.v is not what it should be."
        assert (readout.W == W_cut).all(), f"{name}: p.decoder.readout.W is not what it should be."
        model.params = ablated
        try:
            measured = model.evaluate(data.test)["exact_match"]
        finally:
            model.params = whole
        print(f"{name}: {measured:.0%} right, you said {shares[name]:.0%}")
        assert abs(measured - shares[name]) <= 0.25, f"{name}: {measured:.0%} measured. Why?"

# %% [markdown]
r"""
## Greedy, and the road not taken

Greedy decoding takes the most probable next token, and cannot go back. What is wanted is the most probable
*answer*:

$$\log p(y \mid x) = \sum_t \log p(y_t \mid y_1 \dots y_{t-1}, x)$$

**Beam search** keeps the $K$ most probable beginnings of each length. Below it answers the test with $K = 4$
and no length penalty, so that it looks for the greatest $\log p$. For 40 sentences `exact` proves which
answer that is.
"""

# %%
greedy = answers["additive attention"]
beam = [best[0] for best in model.decode(sources, beam=4, length_penalty=0.0)]
proven = [best[0] for best in model.decode(sources[:40], method="exact", budget=500)]
other = [k for k in range(len(sources)) if greedy[k].text != beam[k].text]
gain = np.array([beam[k].log_prob - greedy[k].log_prob for k in range(len(sources))])
found = {name: np.mean([a.log_prob >= best.log_prob - 1e-4 for a, best in zip(them, proven)])
         for name, them in (("greedy", greedy), ("beam of 4", beam))}
for name, share in found.items():
    print(f"{name:10} finds the most probable answer for {share:.0%} of 40 "
          f"({sum(a.proven for a in proven)} proven)")
print(f"of all 400 the beam answers {len(other)} otherwise; it is more probable in {(gain > 1e-4).sum()}")
better, worse = (sum(them[k].text == wanted[k] for k in other) for them in (beam, greedy))
print(f"of these the beam's answer is right in {better}, the greedy one in {worse}")
assert found["beam of 4"] >= found["greedy"] and gain.sum() > -1e-3

# %% [markdown]
r"""
The beam finds more probable answers, nearly always the most probable one there is. Whether these are
*better* is for the model to say, not for the search: where the model is wrong, a better search finds its
errors more surely. Here is the tree of a search. We take the sentence where the beam wins most by a right
answer.
"""

# %%
def search_tree(text, width):
    """Beam search, and all that it kept: -> levels, lists of Hypothesis; the best finished one."""
    ids = np.array([model.source_vocab.encode(split(text, "word"))]).T
    p, live = hypotheses.start(model.params, model.config, ids, np.ones(ids.shape, bool))
    levels, best = [live.hypotheses], None
    while live.hypotheses and len(levels) < 20:
        step = hypotheses.advance(p, model.config, live)
        (_, new), = candidates(step, width)
        levels.append(new)
        ends = [h for h in new if hypotheses.ended(h)]
        best = max([h for h in (best, *ends) if h], key=lambda h: h.log_p, default=None)
        going = [h for h in new if not hypotheses.ended(h) and (best is None or h.log_p > best.log_p)]
        live = hypotheses.follow(step, going)
    return levels, best

def chain(h):
    """The hypotheses that lead to h, without the empty one."""
    return [] if h.previous is None else [*chain(h.previous), h]

def draw_tree(axes, levels, best, rival):
    """Time from left to right, the most probable on top; `best` thick, the tokens of `rival` dashed."""
    place = {id(h): (level, -rank) for level, hs in enumerate(levels) for rank, h in enumerate(hs)}
    taken, rivals = {id(h) for h in chain(best)}, [h.token for h in chain(rival)]
    for h in (h for hs in levels[1:] for h in hs):
        (x0, y0), (x1, y1) = place[id(h.previous)], place[id(h)]
        tokens = [link.token for link in chain(h)]
        on_best, on_rival = id(h) in taken, tokens == rivals[:len(tokens)]
        colour = "C0" if on_best else "C1" if on_rival else "0.6"
        axes.plot([x0, x1], [y0, y1], "--" if on_rival and not on_best else "-", color=colour, zorder=1,
                  lw=2.5 if on_best or on_rival else 1)
        token = said(model.target_vocab.symbols[h.token])
        axes.text(x1, y1, f"{token}\n{h.log_p:.2f}", ha="center", va="center", fontsize=8,
                  color="0.3" if colour == "0.6" else colour,
                  bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"})
    axes.set(xlim=(-0.3, len(levels) - 0.4), ylim=(-max(map(len, levels)) + 0.4, 0.6), xlabel="tokens said")
    axes.set_yticks([])
    axes.grid(False)

won = [k for k in other if beam[k].text == wanted[k] and len(sources[k]) < 40] or other
text, translation = data.test[max(won, key=lambda k: gain[k])]
levels, best = search_tree(text, 4)
_, alone = search_tree(text, 1)
print(f"{text}   wanted: {translation}")
for name, h in (("greedy", alone), ("beam of 4", best)):
    print(f"{name:10} {''.join(model.target_vocab.decode([link.token for link in chain(h)][:-1]))}  "
          f"log p = {h.log_p:.2f}")
with picture("A beam tree, four hypotheses kept at each length, in pinyin with their "
             "log p. The thick path is the answer. The dashed path is the greedy one: "
             "it is on top at first, then falls behind and is dropped.", 9, 3.3) as axes:
    draw_tree(axes, levels, best, alone)
assert best.log_p > alone.log_p

# %% [markdown]
r"""
Numbers are $\log p$ of all tokens so far: along a path they only fall. The dashed path led, until what had
to follow was improbable; by then greedy had forgotten the other.

### Exercise 3: one step of it

All $K \cdot V$ extensions compete, and the best `width` stay.
"""

# %% exercise="beam-step"
def beam_step(log_p, log_q, width):
    """log_p (K,), log_q (K, V) -> scores (width,), rows (width,), tokens (width,), best first."""
    ### BEGIN SOLUTION
    total = (log_p[:, None] + log_q).ravel()
    best = np.argsort(-total, kind="stable")[:width]
    rows, tokens = np.divmod(best, log_q.shape[1])
    return total[best], rows, tokens
    ### END SOLUTION

# %% check="beam-step" points=2
judge("beam-step", beam_step)

# %% [markdown]
r"""
## Short answers

Each further token makes an answer less probable, so $\log p$ favours the short. `translate` therefore ranks
by $\log p / \text{length}^a$. What does that do here?
"""

# %%
sizes, shares = {}, {}
for a in (0.0, 1.0):
    ranked = beam if a == 0 else [best[0] for best in model.decode(sources, beam=4, length_penalty=a)]
    sizes[a] = np.mean([len(one.target) for one in ranked])
    shares[a] = np.mean([one.text == y for one, y in zip(ranked, wanted)])
    print(f"a = {a}: {sizes[a]:.2f} characters on average, {shares[a]:.1%} right")
print(f"wanted:  {np.mean([len(y) for y in wanted]):.2f} characters")
assert sizes[0.0] <= sizes[1.0] and max(shares.values()) - min(shares.values()) < 0.15

# %% [markdown]
r"""
Here the answers' lengths leave little to choose. Look at the numbers before you tune.

## What is missing

You have a translator. Its training took seconds, with 64 units and compiled kernels. The pages that you
read in notebooks 4 to 10 are plain NumPy: how much slower are they, and where does the time go? And if a
fast version stands beside the clear one, who says that they agree? **Notebook 12.**
"""
