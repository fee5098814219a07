"""dates: a date as people write it -> ISO, as in "the 3rd of May 1999" -> "1999-05-03".

Every part of the answer stands somewhere in the source, but where depends on the form; some parts are
copied (the day), some are looked up (the month), some must be ignored (the weekday).  The classic
picture of attention.

Days from 1900-01-01 to 2049-12-31 in 20 forms (FORMS), those with letters as written, in lower and in
UPPER case. Numbers with strokes or hyphens and the year last are month first, as in the United States:
2/10/93 is February 10. A year of two digits lies in 1950 .. 2049: 49 is 2049, 50 is 1950; forms with
such years have only these days. Forms with a short month leave out May, which has no shorter form and
would give the same text twice.
"""
from datetime import date
from typing import NamedTuple

from .sampling import deal, draw

MONTHS = ("January February March April May June July August September October November December").split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
DOTTED = "Jan. Feb. Mar. Apr. May Jun. Jul. Aug. Sept. Oct. Nov. Dec.".split()


class Form(NamedTuple):
    """A way to write a date, as a template for `str.format`.

    y, yy: year of 4 and 2 digits; m, mm: month, plain and with a leading zero; d, dd, th: day, plain,
    with a leading zero, 3rd; month, mon, mon_dot: May, Sep, Sept.; weekday, wkd: Tuesday, Tue.
    """
    template: str

    @property
    def short_year(self):
        return "{yy}" in self.template

    @property
    def short_month(self):
        return "{mon}" in self.template or "{mon_dot}" in self.template

    @property
    def cases(self):
        """The number of variants: as written, lower, upper; or only the first."""
        return 3 if "mon" in self.template else 1


FORMS = [Form(template) for template in (
    "{month} {d}, {y}",                         # September 27, 1994
    "{month} {th}, {y}",                        # September 27th, 1994
    "{mon} {d}, {y}",                           # Sep 27, 1994
    "{mon_dot} {th}, {y}",                      # Sept. 27th, 1994
    "{weekday}, {month} {d}, {y}",              # Tuesday, September 27, 1994
    "{wkd}, {mon} {d}, {y}",                    # Tue, Sep 27, 1994
    "{d} {month} {y}",                          # 27 September 1994
    "{d} {mon} {y}",                            # 27 Sep 1994
    "{weekday} {d} {month} {y}",                # Tuesday 27 September 1994
    "the {th} of {month} {y}",                  # the 27th of September 1994
    "{wkd} the {th} of {month}, {y}",           # Tue the 27th of September, 1994
    "{y} {month} {d}",                          # 1994 September 27
    "{d}-{mon}-{y}",                            # 27-Sep-1994
    "{month} {d} '{yy}",                        # September 27 '94
    "{m}/{d}/{yy}",                             # 9/27/94
    "{m}/{d}/{y}",                              # 9/27/1994
    "{mm}-{dd}-{y}",                            # 09-27-1994
    "{y}.{mm}.{dd}",                            # 1994.09.27
    "{y}/{m}/{d}",                              # 1994/9/27
    "{y}-{mm}-{dd}",                            # 1994-09-27, which is ISO already
)]

FIRST, LAST = date(1900, 1, 1).toordinal(), date(2049, 12, 31).toordinal()
WINDOW = date(1950, 1, 1).toordinal()           # the first day that a year of two digits can mean


def days(form):
    """The days (ordinals) that a form is used for."""
    first = WINDOW if form.short_year else FIRST
    return [n for n in range(first, LAST + 1) if not (form.short_month and date.fromordinal(n).month == 5)]


def write(day, form, case=0):
    """A `datetime.date` in a Form; case 0 as written, 1 lower, 2 upper."""
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    text = form.template.format(
        y=day.year, yy=f"{day.year % 100:02}",
        m=day.month, mm=f"{day.month:02}", d=day.day, dd=f"{day.day:02}",
        th=ordinal(day.day), month=month, mon=month[:3], mon_dot=DOTTED[day.month - 1], weekday=weekday,
        wkd=weekday[:3])
    return (text, text.lower(), text.upper())[case]


def ordinal(n):
    """3 -> "3rd", 12 -> "12th"."""
    return f"{n}{'th' if n in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test)."""
    usable = [days(form) for form in FORMS]
    groups = [[len(ns)] * form.cases for form, ns in zip(FORMS, usable)]
    pairs = []
    for g, case, i in draw(groups, sum(sizes), rng, "dates"):
        day = date.fromordinal(usable[g][i])
        pairs.append((write(day, FORMS[g], case), day.isoformat()))
    return deal(pairs, sizes)
