"""The book's own words in both languages, by key: headings, buttons, labels."""
import html
from contextvars import ContextVar

LANGUAGES = ("en", "zh")
chosen: ContextVar = ContextVar("chosen", default=LANGUAGES)

WORDS = {
    "title": ("The live book", "活的书"),
    "subtitle": ("math, code, derivative and numbers side by side", "公式、代码、导数与数值，并排对照"),
    "contents": ("Contents", "目录"),
    "parts": ("Parts of the model", "模型的各个部分"),
    "rows": ("The documents, row by row", "五份文档，逐条对照"),
    "glossary": ("Glossary", "术语表"),
    "licences": ("Licences", "许可证"),
    "search": ("Search: a mark, a symbol, a word", "搜索：编号、符号或词语"),
    "found": ("found", "搜索结果"),
    "nothing": ("nothing found", "没有找到"),
    "previous": ("previous", "上一页"),
    "next": ("next", "下一页"),
    "before": ("Before this, read", "请先阅读"),
    "rows_here": ("Rows of the documents that this part answers", "本部分对应的文档条目"),
    "parts_here": ("Parts that compute it", "实现它的部分"),
    "equation": ("Equation", "公式"),
    "code": ("Code", "代码"),
    "oracle": ("Oracle, number by number", "逐数核对的参照实现"),
    "derivative": ("Derivative", "导数"),
    "no_derivative": ("No derivative: nothing is learned through this line.", "没有导数：梯度不经过这一行。"),
    "no_forward": ("No forward equation of its own.", "没有单独的前向公式。"),
    "numbers": ("Numbers of the example", "示例中的数值"),
    "forward": ("forward", "前向"),
    "backward": ("backward, as d = ∂L/∂", "反向，d 表示 ∂L/∂"),
    "shapes": ("Symbols and shapes", "符号与形状"),
    "symbol": ("symbol", "符号"),
    "shape": ("shape", "形状"),
    "example_shape": ("in the example", "示例中的形状"),
    "example": ("Live example", "可操作的示例"),
    "what_runs": ("What runs", "运行的代码"),
    "inputs": ("Inputs", "输入"),
    "arrives": ("The gradient that arrives", "传入的梯度"),
    "choose": ("Choose a number below, then drag.", "先选择下面的一个数，再拖动滑块。"),
    "slider": ("value of the chosen number", "所选数的值"),
    "exact": ("exact value", "精确值"),
    "reset": ("reset", "复原"),
    "under": ("Below each number stands its gradient.", "每个数的下方是它的梯度。"),
    "fixed": ("These numbers are fixed: this book was built without the Python that runs in the page. Build it with "
              "--runtime to drag them.",
              "这些数是固定的：构建本书时没有可在网页中运行的 Python。用 --runtime 重新构建后即可拖动。"),
    "loading": ("Python is being started …", "正在启动 Python……"),
    "live": ("Live: the oracle's own Python runs in this page.", "可操作：参照实现的 Python 代码正在本页中运行。"),
    "steps": ("Derivation, step by step", "逐步推导"),
    "faded": ("Fill in the missing line", "补上缺少的一行"),
    "right": ("Right: it equals its neighbours.", "正确：它与相邻两行相等。"),
    "another": ("another line", "换一行"),
    "printed": ("As printed", "原文"),
    "intended": ("As intended", "应为"),
    "slip": ("The slip", "笔误"),
    "remark": ("Remark", "说明"),
    "cost": ("What it costs", "后果"),
    "undefined": ("What cannot be computed", "无法计算之处"),
    "by_running": ("Shown by running it", "运行的结果"),
    "tiny": ("A tiny example, forward and backward", "一个极小的例子：前向与反向"),
    "marks": ("Equations", "相关公式"),
    "also": ("Also in", "另见"),
    "language": ("中文", "English"),
    "keys": ("Keys", "按键"),
    "keys_text": ("← → previous and next page; / search; Tab reaches every card, arrows go from symbol to symbol, Esc "
                  "puts the light out; l changes the language.",
                  "← → 上一页、下一页；/ 搜索；Tab 到达每张卡片，方向键在符号之间移动，Esc 取消高亮；l 切换语言。"),
    "readout": ("Hover, tap or focus a symbol or a number.", "指向、点按或聚焦一个符号或数。"),
    "page": ("page", "页"),
    "drawing": ("drawing", "示意图"),
    "meaning": ("meaning", "含义"),
    "term": ("term", "术语"),
    "value": ("value", "值"),
    "wrong_by": ("differs from its neighbours by", "与相邻行相差"),
}


def both(en, zh):
    """HTML of a text in the chosen languages; `en` and `zh` are plain text."""
    return both_html(html.escape(en), html.escape(zh))


def both_html(en, zh):
    """The same for HTML."""
    languages = chosen.get()
    out = f"<span class=en lang=en>{en}</span>" if "en" in languages else ""
    return out + (f"<span class=zh lang=zh>{zh}</span>" if "zh" in languages else "")


def word(key):
    """HTML of one of WORDS."""
    return both(*WORDS[key])


def plain(key):
    """One of WORDS for an attribute: in the first language chosen."""
    return html.escape(WORDS[key][LANGUAGES.index(chosen.get()[0])], quote=True)
