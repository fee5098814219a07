"""minis2s task: samples of a task, its checker at work, its baseline, and what fails."""
import tempfile
from pathlib import Path

from ..api import answering, speaking
from ..api.evaluation import short_enough
from ..api.seq2seq import Seq2Seq
from ..core.files import numbered
from ..data.frames import UNITS as FRAME_UNITS
from ..tasks import judge_of, load
from ..tasks.judge import score
from . import sources
from .train import line

NAME, HELP = "task", "look at one task: samples, the checker at work, the baseline, and what fails"
EPILOG = """examples:
  minis2s task pictures
  minis2s task pictures --out samples          the pictures as PNG files (sounds as WAV files) in a folder
  minis2s task speech --run runs/speech        how a run does on each kind of source, and what it gets wrong
  minis2s task voice --out samples             what `train voice` learns to say, as WAV files
"""
COUNTED = 1000                      # test pairs that the baseline is scored on


def arguments(parser):
    """The task, how many samples, where to put files, and a run."""
    parser.add_argument("task", metavar="TASK", help="a built-in task, see `minis2s tasks`")
    parser.add_argument("--samples", type=int, default=6, metavar="N", help="samples shown (default: 6)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the task's pairs (default: 0)")
    parser.add_argument("--out", metavar="DIR", help="write the samples' sounds or pictures into this folder")
    parser.add_argument("--run", dest="run_dir", metavar="RUN", help="a run of the task, to be scored on its test "
                                                                     "pairs")
    parser.add_argument("--overwrite", action="store_true", help="replace files in DIR that exist")


def run(args):
    """Print all of it; files first, so that nothing is said of files that could not be written."""
    task = sources.task_of(args.task)
    if args.samples < 1 or args.seed < 0:
        raise ValueError("--samples, --seed: wanted 1 or more samples, and a seed of 0 or more")
    judge = judge_of(task)
    if args.out and not judge.show:
        raise ValueError(f"--out: sources of {task.name} are texts, which need no files")
    model = Seq2Seq.load(args.run_dir) if args.run_dir else None
    if model and model.origin.get("task") != task.name:
        raise ValueError(f"--run: {args.run_dir} is no run of {task.name}")
    splits = load(task.name, seed=args.seed)
    signals = [target if task.target_unit in FRAME_UNITS else source for source, target in splits.test[:args.samples]]
    files = written(judge, signals, Path(args.out), args.overwrite) if args.out else []
    print("\n".join(described(task, judge, splits, args.samples, files)))
    if model:
        training, _, test = sources.data(model.origin)
        print("\n".join(of_run(model, judge, test, args.samples)))
        if judge.experiment:
            print("\n".join(of_experiment(model, judge, training)))
    return 0


def written(judge, recipes, folder, overwrite):
    """Write the sounds or pictures of some recipes: -> paths."""
    paths = numbered(folder, len(recipes), judge.suffix, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for path, recipe in zip(paths, recipes):
        judge.show(recipe, path)
    return paths


def described(task, judge, splits, count, files):
    """Lines about samples, checker, baseline and failure."""
    yield f"{task.name}: {task.summary}\n\nsamples of the test, and a right answer to each:"
    for i, (source, target) in enumerate(splits.test[:count]):
        yield f"  {line(source)}  ->  {line(target)}" + (f"     {files[i]}" if files else "")
    yield f"\nthe checker: an answer is right if {judge.rule}."
    (source, target), others = splits.test[0], [y for _, y in splits.test[1:]]
    wrong = next((y for y in others if not judge.right(source, y, target)), "")
    for answer in (target, wrong):
        yield f"  {line(source)}  ->  {line(answer)!r}: {'right' if judge.right(source, answer, target) else 'wrong'}"
    test = splits.test[:COUNTED]
    answer = judge.baseline(splits.train)
    found = score(judge, [x for x, _ in test], [answer(x) for x, _ in test], [y for _, y in test])
    yield f"\nthe baseline answers {judge.trivial}: {found['all']:.1%} of {len(test):,} test pairs right."
    yield f"\nwhat fails: {judge.failure}"


def of_run(model, judge, test, count):
    """Lines about a run: shares of right answers by kind, and some wrong ones."""
    pairs, _, _ = short_enough(model, test)
    texts, targets = [x for x, _ in pairs], [y for _, y in pairs]
    how = answering.checked(answering.Options(), model)
    best = [answers[0] for answers in answering.decode(model, texts, how, progress=True)]
    with tempfile.TemporaryDirectory() as folder:
        frames = model.config.target == "frames"
        answers = speaking.write(model, best, folder) if frames else [a.text for a in best]
        scores = score(judge, texts, answers, targets)
        wrong = [row for row in zip(texts, answers, targets) if not judge.right(*row)]
    yield "\nthe run, on test pairs:"
    for name, share in scores.items():
        yield f"  {name:<26}{share:.2%}"
    if judge.support and best[0].alpha is not None:
        seen, share = attention_on_support(judge, texts, best)
        yield (f"\nattention on the facts that the answer rests on, where it rests on some: {seen:.2%}; they are "
               f"{share:.2%} of the source")
    yield "\nwrong answers:" if wrong else "\nno wrong answer"
    for source, answer, target in wrong[:count]:
        yield f"  {line(source)}" + ("" if frames else f"  ->  {line(answer)}   (such as: {line(target)})")


def attention_on_support(judge, texts, answers):
    """-> mean share of the first row of attention that is on tokens which the answer rests on, and mean share of these
    tokens in the source, of sources that have some."""
    seen, share = [], []
    for text, answer in zip(texts, answers):
        support = sorted(judge.support(text))
        if support:
            seen.append(answer.alpha[0][support].sum())
            share.append(len(support) / len(answer.source))
    return sum(seen) / max(len(seen), 1), sum(share) / max(len(share), 1)


def of_experiment(model, judge, training):
    """Lines about what the task's experiment finds."""
    def ask(texts, temperature=0):
        how = answering.Options("sample", own={"temperature": temperature}) if temperature else answering.Options()
        return [best[0].text for best in answering.decode(model, texts, answering.checked(how, model))]
    yield "\nthe experiment:"
    for name, share in judge.experiment(ask, training).items():
        yield f"  {name:<32}{share:.2%}"
