"""The documents' formulas as printed: (PA), (PB), (PC), (PD)."""
from minis2s.documents.formulas import cases

from .unit import Unit, drawn

UNITS = [
    Unit({"(PA1)": "", "(PA2)": "s", "(PA3)": "p", "(PA1*)": "", "(PA2*)": "", "(PA3*)": ""},
         drawn(cases.a4_2_printed)),
    Unit({"(PA4)": "", "(PA4*)": ""}, drawn(cases.a4_4_printed(True))),
    Unit({"(PB1)": "", "(PB2)": "", "(PB4)": "c", "(PB5)": "h",
          "(PB1*)": "p x s.h", "(PB2*)": "p s.h", "(PB4*)": "", "(PB5*)": ""}, drawn(cases.b4_2e_printed)),
    Unit({"(PB3)": "", "(PB3*)": "p x"}, drawn(cases.b4_2d_printed)),
    Unit({"(PB6)": "", "(PB7)": "", "(PB6*)": "", "(PB7*)": ""}, drawn(cases.b4_2a_printed)),
    Unit({"(PC1)": "", "(PC2)": "", "(PC1*)": "", "(PC2*)": ""}, drawn(cases.c2_2_printed)),
    Unit({"(PC3)": "", "(PC4)": "", "(PC5)": "", "(PC6)": "",
          "(PC3*)": "", "(PC4*)": "", "(PC5*)": "", "(PC6*)": ""}, drawn(cases.c3_1g_printed)),
    Unit({"(PD1)": "", "(PD1*)": ""}, drawn(cases.d3_2_printed)),
    Unit({"(PD2)": "", "(PD4)": "", "(PD2*)": "", "(PD4*)": ""}, drawn(cases.d3_3_printed(True))),
    Unit({"(PD3)": "", "(PD3*)": ""}, drawn(cases.d3_3_printed(False))),
]
