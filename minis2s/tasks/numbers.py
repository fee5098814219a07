"""numbers: English number words -> Chinese numerals; numbers-back: the same pairs the other way; numbers-eo: the words
are Esperanto's, for models that know the English ones.

"twelve thousand five" -> 一万两千零五.  English counts in thousands, Chinese in ten thousands (万), so the
parts shift: two million (2,000,000) is 两百万.  A model has to regroup, not to replace word by word, and
the attention map shows it.

English: no "and", hyphens as in twenty-one.  Chinese: a gap of zeros inside the number is one 零;
10 to 19 begin with 十 where they begin the number (十五, 十二万) and with 一十 elsewhere (一百一十五);
two is 两 before 百, 千, 万 and 亿 (两百, 两千, 两万) and 二 elsewhere (二十, 十二万, 三百零二).
Esperanto: dek du is twelve, tens and hundreds are one word (dudek, tricent), a thousand is mil, a million miliono.

Numbers lie in 0 .. 99,999,999.  The counts of digits 1 to 8 are equally frequent (there are only 1,000
numbers of three digits or less), and for each, every pattern of zeros, so that 30,000,000 and 40,020,000
are no rarities.
"""
from itertools import product

from .sampling import Splits, deal, draw

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen").split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
THOUSANDS = ["", "thousand", "million", "billion"]

UNITS = "nul unu du tri kvar kvin ses sep ok naŭ".split()

DIGITS = "零一二三四五六七八九"
PLACES = ["", "十", "百", "千"]
MYRIADS = ["", "万", "亿"]


def english(n):
    """0 <= n < 10**12 -> words: 21_005 -> "twenty-one thousand five"."""
    if n == 0:
        return ONES[0]
    words = []
    for power in reversed(range(len(THOUSANDS))):
        group = n // 1000**power % 1000
        if group:
            words += [*_hundreds(group), THOUSANDS[power]]
    return " ".join(words).strip()


def _hundreds(n):
    """0 < n < 1000 -> list of words."""
    words = [ONES[n // 100], "hundred"] if n >= 100 else []
    tens, ones = divmod(n % 100, 10)
    if tens >= 2:
        words.append(TENS[tens] + (f"-{ONES[ones]}" if ones else ""))
    elif n % 100:
        words.append(ONES[n % 100])
    return words


def esperanto(n):
    """0 <= n < 10**9 -> words: 21_005 -> "dudek unu mil kvin"."""
    if n == 0:
        return UNITS[0]
    millions, thousands, rest = n // 10**6, n // 1000 % 1000, n % 1000
    words = [*_esperanto_hundreds(millions), "miliono" if millions == 1 else "milionoj"] if millions else []
    words += [*(_esperanto_hundreds(thousands) if thousands > 1 else []), "mil"] if thousands else []
    return " ".join(words + _esperanto_hundreds(rest))


def _esperanto_hundreds(n):
    """0 <= n < 1000 -> list of words."""
    places = ((n // 100, "cent"), (n // 10 % 10, "dek"), (n % 10, ""))
    return [("" if digit == 1 and word else UNITS[digit]) + word for digit, word in places if digit]


def chinese(n):
    """0 <= n < 10**12 -> numeral: 21_005 -> "两万一千零五"."""
    if n == 0:
        return "零"
    text, gap = "", False                               # gap: zeros were passed since the last digit written
    for power in reversed(range(len(MYRIADS))):
        group = n // 10_000**power % 10_000
        for place in reversed(range(len(PLACES))):
            digit = group // 10**place % 10
            if digit == 0:
                gap = True
                continue
            two = digit == 2 and (place >= 2 or place == 0 and power > 0 and group == 2)
            text += ("零" if gap and text else "") + ("两" if two else DIGITS[digit]) + PLACES[place]
            gap = False
        if group:
            text += MYRIADS[power]
            gap = False                                 # 十万五千: zeros that end a group are not spoken
    return text[1:] if text.startswith("一十") else text


# For each count of digits: the places (powers of ten) that are not zero.  The first always is one of these.
PATTERNS = [[[digits] + [p for p in range(digits) if bits[p]] for bits in product((0, 1), repeat=digits)]
            for digits in range(8)]


def _draw(rng, count):
    """Different numbers: even over the counts of digits, then over the patterns of zeros."""
    groups = [[9**len(places) for places in patterns] for patterns in PATTERNS]
    groups[0].append(1)                                 # the number 0
    drawn = []
    for g, k, i in draw(groups, count, rng, "numbers"):
        places = PATTERNS[g][k] if k < len(PATTERNS[g]) else []
        drawn.append(sum((1 + i // 9**j % 9) * 10**p for j, p in enumerate(places)))
    return drawn


def generate(rng, sizes):
    """English -> Chinese: Splits of sizes (train, valid, test)."""
    return deal([(english(n), chinese(n)) for n in _draw(rng, sum(sizes))], sizes)


def generate_esperanto(rng, sizes):
    """Esperanto -> Chinese: Splits of sizes (train, valid, test)."""
    return deal([(esperanto(n), chinese(n)) for n in _draw(rng, sum(sizes))], sizes)


def generate_back(rng, sizes):
    """Chinese -> English: Splits of sizes (train, valid, test)."""
    return Splits(*([(zh, en) for en, zh in part] for part in generate(rng, sizes)))
