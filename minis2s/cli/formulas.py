"""`minis2s formulas`: every formula of the documents, shown, run and checked on the spot."""
import json
import shutil

NAME = "formulas"
HELP = "every formula of the documents: shown, run, checked"
EPILOG = """examples:
  minis2s formulas               all formulas: code, errors, verdict
  minis2s formulas --document B  those of document B
  minis2s formulas B4.2a         one formula in full: slip, code, a tiny example, forward and backward
  minis2s formulas L4            an equation of the code, (L4): its derivative, and where both are
  minis2s formulas "L4*"         the derivative alone
  minis2s formulas P4            a part that the documents name without a formula
  minis2s formulas --json        the table for programs"""


def arguments(parser):
    """Add this command's arguments to an argparse parser."""
    parser.add_argument("id", nargs="?", metavar="ID",
                        help="for example B4.2a, or L4, the mark of an equation; without it, a table of all")
    parser.add_argument("--document", metavar="LETTER", help="only formulas of document A, B, C, D or E")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


def run(args):
    """Print what was asked for: -> 0, or 1 if a formula's code is wrong.

    Raises
    ------
    ValueError
        There is no such formula, equation or document, or an ID and a document are given at once.
    """
    from ..documents import formulas
    from ..documents.formulas import equation_page, page, table
    if args.id and args.document:
        raise ValueError(f"give either an ID ({args.id}) or --document ({args.document}), not both")
    if args.id and equation_page.is_mark(args.id):
        return show_equation(args.id, args.json)
    wanted = [formulas.find(args.id)] if args.id else table.chosen(args.document)
    failed = []

    def measured():
        for one in table.rows(wanted):
            failed.append(table.verdict(one[2]) != "ok")
            yield one
    if args.json:
        print(json.dumps([table.record(*one) for one in measured()], indent=2, ensure_ascii=False))
    else:
        for line in page.page(wanted[0], measured(), width()) if args.id else table.table(measured(), width()):
            print(line, flush=True)
        if not args.id:
            print("", *table.documents(width()), sep="\n")
    return int(any(failed))


def show_equation(name, as_json):
    """Print the page of one equation, or of one part that has no formula: -> 0."""
    from ..documents import equations
    from ..documents.formulas import equation_page
    part = equation_page.part_page(name, width())
    if part and not as_json:
        print("\n".join(part))
        return 0
    equation = equations.find(name)
    if as_json:
        print(json.dumps(equation_page.record(equation), indent=2, ensure_ascii=False))
    else:
        print("\n".join(equation_page.page(equation, width())))
    return 0


def width():
    """Columns of the terminal, 100 when piped; never so narrow or wide that a page reads badly."""
    return min(110, max(80, shutil.get_terminal_size((100, 24)).columns))
