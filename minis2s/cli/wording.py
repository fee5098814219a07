"""Messages of the library, said as the command line says it: `beam=3` is `--beam 3`, `resume=True` is `--resume`."""
import re

QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")


def for_options(text, parser, args):
    """A message in which the names of arguments are those of a command's options.

    Parameters
    ----------
    text : str
    parser : argparse.ArgumentParser
        Of the command.
    args : argparse.Namespace
        What was given: an option that was not is no option that a message begins with.
    """
    options = {action.dest: max(action.option_strings, key=len) for action in parser._actions if action.option_strings}
    options = {dest: option.replace("--no-", "--") for dest, option in options.items()}
    names = "|".join(sorted(map(re.escape, options), key=len, reverse=True))
    long = "|".join(sorted((re.escape(name) for name in options if "_" in name), key=len, reverse=True)) or "(?!)"

    def plain(part):
        part = re.sub(rf"\b({names})=True\b", lambda m: options[m[1]], part)
        part = re.sub(rf"(?<!-)\b({names})=", lambda m: f"{options[m[1]]} ", part)
        part = re.sub(rf"(?<![-\w])({long})\b(?!\()", lambda m: options[m[1]], part)
        return re.sub(r"\btexts\[(\d+)\]", lambda m: f"text {int(m[1]) + 1}", part)

    first = re.match(rf"({names})(?=: )", text)
    if first and getattr(args, first[1], None) is not None:
        text = options[first[1]] + text[first.end():]
    return "".join(part if i % 2 else plain(part) for i, part in enumerate(QUOTED.split(text)))
