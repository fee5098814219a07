"""Forms of pairs files: lines of source TAB target, Tatoeba's export, Anki's export, and a header line.

Each reader turns lines into rows (line number, source, target), with a target of None where a line has one column only.
"""
import csv
import html
import re

ANKI_HEAD = re.compile(r"#([a-z ]+):(.*)")
ANKI_KEYS = {"separator", "html", "tags", "columns", "notetype", "deck", "notetype column", "deck column",
             "tags column", "guid column"}
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " ", "pipe": "|", "colon": ":"}
APART = re.compile(r"(?i)<br\s*/?>|</?(?:div|p|li|ul|ol|tr|td|th|h[1-6])\b[^>]*>")      # tags that divide words
TAG = re.compile(r"</?[A-Za-z][^>]*>|\[sound:[^\]]*\]")

LANGUAGES = """arabic bengali bulgarian catalan chinese croatian czech danish dutch english esperanto estonian finnish
french german greek hebrew hindi hungarian icelandic indonesian irish italian japanese korean latin latvian lithuanian
malay mandarin norwegian persian polish portuguese romanian russian serbian slovak slovenian spanish swahili swedish
tamil telugu thai turkish ukrainian urdu vietnamese welsh""".split()
CODES = """ar bg bn ca cs cy da de el en eo es et fa fi fr ga hr hu ja ko la lt lv nl pl pt ro ru sk sl sr sv sw th tr
uk ur vi zh""".split()
HEADERS = {*LANGUAGES, *CODES, *"""source target src tgt trg input output question answer prompt response word words
phones phonemes pronunciation grapheme phoneme graphemes text translation sentence sentences original translated front
back lemma form inflected command commands action actions""".split()}


def rows_of(lines):
    """Lines -> rows (line number, source, target or None), notes (sentences about the form that was found).

    Raises
    ------
    ValueError
        An Anki export names a separator that is none, or has a field that is not closed; the message names the line.
    """
    if lines and _anki_head(lines[0]):
        return _anki(lines)
    cells = [(number, line.split("\t")) for number, line in enumerate(lines, start=1)]
    rows, notes = _tatoeba(cells) or _plain(cells)
    first = next((k for k, row in enumerate(rows) if row[1].strip()), None)
    if first is not None and len(rows) > 1 and is_header(*rows[first][1:]):
        number, source, target = rows.pop(first)
        notes.append(f"line {number} looks like a header ({source.strip()}, {target.strip()}) and is left out")
    return rows, notes


def is_header(source, target):
    """Whether two texts are names of columns: languages, source and target, word and phones ..."""
    names = [(text or "").strip().casefold() for text in (source, target)]
    return names[0] != names[1] and all(name in HEADERS for name in names)


def is_number(text):
    """Whether a text is digits only."""
    return text.strip().isascii() and text.strip().isdigit()


def _plain(cells):
    rows = [(number, row[0], row[1] if len(row) > 1 else None) for number, row in cells]
    texts = [(row[0], row[1] if len(row) > 1 else "") for _, row in cells if row[0].strip()]
    wide = any(len(row) > 2 for _, row in cells)
    notes = []
    for k, name in ((0, "source"), (1, "target")):
        if len(texts) > 1 and all(is_number(pair[k]) for pair in texts) and (k == 0 or wide):
            notes.append(f"every {name} is a number, such as {texts[0][k].strip()}: is column {k + 1} what you want to "
                         f"train on?")
    return rows, notes


def _tatoeba(cells):
    """Rows of Tatoeba's export of sentence pairs: number, text, number, text; None for another form."""
    full = [(number, row) for number, row in cells if any(cell.strip() for cell in row)]
    if not full or not all(len(row) >= 4 and is_number(row[0]) and is_number(row[2]) for _, row in full):
        return None
    if all(is_number(row[1]) and is_number(row[3]) for _, row in full):
        return None                                     # a table of numbers
    return ([(number, row[1], row[3]) for number, row in full],
            ["read as Tatoeba's sentence pairs (number, text, number, text)"])


def _anki_head(line):
    """(key, value) of a head line of an Anki export, or None."""
    found = ANKI_HEAD.fullmatch(line.strip())
    return (found[1], found[2].strip()) if found and found[1] in ANKI_KEYS else None


def _anki(lines):
    """Rows of an Anki export: heads, then fields that may be quoted and hold HTML and line ends."""
    head, start = {}, 0
    while start < len(lines) and _anki_head(lines[start]):
        key, value = _anki_head(lines[start])
        head[key], start = value, start + 1
    word = head.get("separator", "tab")
    separator = SEPARATORS.get(word.casefold(), word)
    if len(separator) != 1:
        raise ValueError(f"line 1: separator {word!r}, wanted one character or {', '.join(SEPARATORS)}")
    other = {int(value) - 1 for key, value in head.items() if key.endswith(" column") and is_number(value)}
    clean = str if head.get("html") == "false" else plain_text
    rows, reader = [], csv.reader([line + "\n" for line in lines[start:]], delimiter=separator, strict=True)
    while True:
        number = start + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as e:
            raise ValueError(f"line {number}: {e}") from None
        fields = [clean(field).replace("\n", " ") for k, field in enumerate(fields) if k not in other]
        if fields:
            rows.append((number, fields[0], fields[1] if len(fields) > 1 else None))
    return rows, ["read as an Anki export"]


def plain_text(field):
    """A field of HTML as plain text: line breaks become spaces, tags and sounds go, &nbsp; and its like are
    characters."""
    text = html.unescape(TAG.sub("", APART.sub(" ", field)))
    return " ".join(text.split())
