# %% [markdown]
r"""
# 0 · For teachers

Five lessons of 45 minutes, each with one notebook, one picture for the board and one exercise that the
computer judges. Students need school mathematics with vectors, and Python with NumPy. The exercises are
small functions: arrays in, arrays out. The checker says where the first wrong number stands, names the
mistake where it knows it, and otherwise gives the next experiment.

| lesson | goal | notebook | exercise |
|---|---|---|---|
| 1 | one step of a recurrent network, and its shapes | 1, 4 | `rnn-step` |
| 2 | softmax and loss without overflow; padding does not count | 2 | `softmax`, `masked-loss` |
| 3 | backpropagation through time | 5 | `rnn-step-backward`, `bptt` |
| 4 | the LSTM: three gates, two carries | 7 | `lstm-step` |
| 5 | attention: a weighted sum over the source | 10 | `attention-mask`, `dot-attention` |

| lesson | picture for the board |
|---|---|
| 1 | the shape map $(N,D)(D,H) + (N,H)(H,H) \to (N,H)$ |
| 2 | a row of scores, its maximum taken away, bars that sum to 1 |
| 3 | the unrolled network; where two arrows meet, gradients add |
| 4 | the cell state as a straight line with a gate on it |
| 5 | three states, three weights, one context |

## Each lesson

10 minutes at the board with the picture; 5 minutes of prediction (notebooks 2, 4 to 7, 10 and 14 to 16 ask
for a number before they measure it); 25 minutes on the exercise, alone or in pairs; 5 minutes on the mistakes
that were common.

| lesson | typical mistake | what cures it |
|---|---|---|
| 1 | `U` transposed, as books write $W x$ | sizes that all differ; both shapes beside each product |
| 1 | $x$ and $h$ in the other order | the same: with $D = H$ nothing complains |
| 2 | the sum over the wrong axis | ask which numbers sum to 1 |
| 2 | the mean over padding, too | change a padded target by hand: the loss must not move |
| 3 | the carried gradient dropped | cover the last step with a hand: what does step $t-1$ still need? |
| 3 | $dW$ of one step only | count how often $W$ is used |
| 4 | the order of the gate blocks | write i, f, g, o above the columns of $W$ |
| 4 | $c$ for $\tanh(c)$ in $do$ | read (L5) aloud: what was $o$ multiplied with? |
| 5 | the mask after the softmax | ask what each column sums to |
| 5 | one of the two paths to $h_i$ forgotten | count how often $h_i$ is used |

Students who find a blank page hard begin with a line to fill in, or with lines to put in order:

    minis2s exercise faded rnn-step-backward        one line is missing
    minis2s exercise parsons rnn-step-backward      the lines are there, in the wrong order
"""

# %% [markdown]
r"""
## A class in five minutes

    pip wheel --no-deps .
    minis2s class make homework --exercises softmax,rnn-step,bptt --points bptt=3 \
        --wheel minis2s-0.2.0-py3-none-any.whl
    minis2s class grade submissions --assignment homework --csv marks.csv --html report --seed 7

The first command, in the clone of this repository, builds the file from which students install. The second
one writes a folder to give away: files to fill in, a README, `check.py`, that file. The clone holds solutions
(`tests/solutions`, `notebooks/src`): do not give it away. The library's own functions are in what students
install, as they must be; whoever uses them in a submission is named beside the mark. The third command reads
a folder or a zip file for each student, tolerates other file names, and writes a row after each student;
`report/index.html` says what to explain again. A seed that students do not know makes sure that functions are
right and not fitted to numbers. Below, both are run with three students.
"""

# %%
import tempfile
from pathlib import Path

from minis2s.classroom.assignment.grade import grade
from minis2s.classroom.assignment.make import assignment, make

start = "import numpy as np\ndef rnn_step(x, h_prev, W, U, b):\n    "
answers = {"Anna": start + "return np.tanh(x @ W + h_prev @ U + b)", "Chen": start + "while True: pass",
           "Bo": start + "return np.tanh(x @ W + h_prev @ U.T + b)"}
with tempfile.TemporaryDirectory() as folder:
    week = assignment("Week 1", ["rnn-step"])
    made = make(Path(folder) / "homework", week)
    for student, code in answers.items():
        file = Path(folder) / "submissions" / student / "RNN-step (1).py"
        file.parent.mkdir(parents=True)
        file.write_text(code)
    marks = grade(Path(folder) / "submissions", Path(folder) / "marks.csv", week, seed=7)
    print("the hand-out:", ", ".join(path.name for path in made), "\n")
for mark in marks:
    says = mark["reports"]["rnn-step"]["says"]
    print(f"{mark['student']}: {mark['points']} of {mark['of']} points, {says}")
assert [mark["points"] for mark in marks] == [1, 0, 0]                  # Anna, Bo, Chen
assert "transposed" in marks[1]["reports"]["rnn-step"]["says"]
assert marks[2]["reports"]["rnn-step"]["verdict"] == "time"
assert len(made) == 4

# %% [markdown]
r"""
**What is promised.** A submission runs in a process of its own, with limits on time, memory and output.
It sends back arrays; the comparison happens in the grading process, so replacing NumPy or the checker gains
nothing. The process of the submission holds no answers, and the report says if it imports or reads this
library. On Linux it cannot write outside of its folder and sees no other process, where the kernel allows
that. It is no sandbox: grade strangers' work in a container, `docker run --rm --network none ...` (`minis2s
class --help` has the line).

## Recipes

**Plain folders.** As above. **Any CI** (GitLab, Forgejo, Jenkins): a job that runs `minis2s exercise check
softmax --seed 7 --json` ends with status 0 only if it passed.

**JupyterHub.** Install the wheel and the
notebooks' packages in the image (`pip install "minis2s-0.2.0-py3-none-any.whl[notebooks]"`) and copy
`notebooks/*.ipynb`; the hub itself needs nothing. (Tried with JupyterHub 6.1 and its `simple` spawner: the
hub, the notebooks and minis2s in one environment, `notebook_dir` the notebooks' folder.)

**nbgrader.** `python -m minis2s.classroom.notebooks
instructor source/week1 01 02` writes notebooks with solutions and nbgrader's metadata: `nbgrader
generate_assignment week1 --create` makes the students' from them, and `nbgrader autograde week1 --create`
grades what came back (with the environment activated: nbgrader looks for `alembic` on the path). Their check
cells import the judge anew, so that a `judge` of the student's own is not believed; who wants more certainty
collects the notebooks and runs `minis2s class grade`, which takes the functions out of them and judges them
apart.

## Words

| English | 中文 | | English | 中文 |
|---|---|---|---|---|
| recurrent neural network | 循环神经网络 | | encoder, decoder | 编码器、解码器 |
| hidden state | 隐藏状态 | | attention | 注意力 |
| gate | 门 | | query, key, value | 查询、键、值 |
| gradient | 梯度 | | weights | 权重 |
| backpropagation through time | 随时间反向传播 | | mask, padding | 掩码、填充 |
| vanishing gradient | 梯度消失 | | loss, cross-entropy | 损失、交叉熵 |
| learning rate | 学习率 | | embedding | 词嵌入 |
| teacher forcing | 教师强制 | | beam search | 束搜索 |

What the checker says:

| English | 中文 | | English | 中文 |
|---|---|---|---|---|
| passed | 通过 | | not yet | 尚未通过 |
| not implemented yet | 尚未实现 | | the form of the function | 函数的形式不对 |
| it stops with an error | 运行出错 | | it does not end | 没有结束（死循环） |
| where: … at t = 4, n = 1 | 位置：第 4 步，第 1 个样本 | | got, wanted | 得到的值，应得的值 |
| right, wrong as well | 正确的，同样错误的 | | what | 错在哪里 |
| next | 下一步看哪里 | | the sign is turned | 符号反了 |
| is missing | 缺少 | | is transposed | 被转置了 |
| off by one | 差一位 | | in place of | 误用……代替 |
| the carry, carried back | 向前一步传递的梯度 | | without padding it is right | 没有填充时正确 |
| reads, is fed | 读入，被输入 | | a valid variant | 合理的变体，但不是本题的公式 |
"""
