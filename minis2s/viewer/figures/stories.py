"""What the pictures say, checked: a picture whose story is not true on this machine is not drawn."""
import numpy as np

# Held-out sentences; each with words of the answer and the words of the source that they are about.
PHRASES = [
    ("We want to read two novels tomorrow.", "我们明天想看两本小说。", {"明天": "tomorrow", "小说": "novels"}),
    ("My father can't play the piano.", "我爸爸不会弹钢琴。", {"爸爸": "father", "钢琴": "piano"}),
    ("There are three white birds in the park.", "公园里有三只白鸟。", {"公园": "park", "白": "white"}),
    ("They ate two oranges at home yesterday.", "他们昨天在家吃了两个橙子。", {"昨天": "yesterday", "橙子": "oranges"}),
    ("His younger sister will buy a horse tomorrow.", "他妹妹明天会买一匹马。", {"明天": "tomorrow", "马": "horse"}),
    ("There are three cheap chairs in the library.", "图书馆里有三把便宜的椅子。", {"图书馆": "library", "椅子": "chairs"})]

# Dates in several forms: year, month and day as they stand in the answer and in the source.
DATES = [
    ("MARCH 16, 1998", "1998-03-16", {"1998-": "1998", "03-": "MARCH", "16": "16"}),
    ("the 8th of May 1988", "1988-05-08", {"1988-": "1988", "05-": "May", "08": "8th"}),
    ("27 sep '41", "2041-09-27", {"2041-": "'41", "09-": "sep", "27": "27"}),
    ("27 Sep 1941", "1941-09-27", {"1941-": "1941", "09-": "Sep", "27": "27"}),
    ("19 October 2006", "2006-10-19", {"2006-": "2006", "10-": "October", "19": "19"}),
    ("1994 September 27", "1994-09-27", {"1994-": "1994", "09-": "September", "27": "27"})]


def must(true, story):
    """Raise ValueError unless the story is true."""
    if not true:
        raise ValueError(f"{story}: this is not so for the model trained here, and the picture would say so")


def right_answers(model, examples, count, figure):
    """The first answers that are right and look where they should.

    Parameters
    ----------
    model : Seq2Seq
    examples : list of (source text, target text, {part of the target: part of the source})
    count : int
        How many answers are wanted.
    figure : str
        For the message.

    Returns
    -------
    list of Translation

    Raises
    ------
    ValueError
        If fewer than `count` examples are so.
    """
    answers = [best[0] for best in model.decode([source for source, _, _ in examples])]
    good = [a for a, (_, target, parts) in zip(answers, examples) if a.text == target and looks(a, parts)]
    must(len(good) >= count, f"{figure}: {count} of the {len(examples)} examples are answered right, and each part "
         "looks at its part of the source")
    return good[:count]


def looks(answer, parts):
    """Whether each named part of the answer gives its own part of the source more attention than the others' parts."""
    sources = {target: span(answer.source, source) for target, source in parts.items()}
    for target, own in sources.items():
        weights = answer.alpha[span(answer.target, target)].sum(axis=0)
        if any(weights[own].sum() <= weights[other].sum() for other in sources.values() if other is not own):
            return False
    return True


def span(tokens, part):
    """The slice of the tokens that spell a part: ["a", "b", "c"], "bc" -> slice(1, 3)."""
    ends = np.cumsum([0, *map(len, tokens)])
    begin = "".join(tokens).index(part)
    return slice(int(np.searchsorted(ends, begin, "right")) - 1, int(np.searchsorted(ends, begin + len(part))))


def last(model, key):
    """The last value of one of a model's records."""
    return model.records[-1][key]


def contexts(models):
    """{kind: model} -> True if a model that sees the source at every step ends better than one that does not."""
    exact = {kind: last(model, "valid_exact_match") for kind, model in models.items()}
    return exact["init"] < min(exact["every-step"], exact["attention"])


def free_costs(model):
    """Whether feeding a model its own answers never makes its loss smaller."""
    return all(row["valid_loss_free_running"] >= row["valid_loss_teacher_forced"] for row in model.records)


def lstm_reaches(flows):
    """Whether the LSTM's gradient is at least ten times as large at the first step as the RNN's."""
    return flows["lstm"].dh[0] >= 10 * flows["rnn"].dh[0]
