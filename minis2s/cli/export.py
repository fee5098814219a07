"""minis2s export: hand a trained model over to PyTorch or ONNX."""
NAME, HELP = "export", "write a run as a folder of plain files that need only torch or onnxruntime"
EPILOG = """examples:
  minis2s export runs/dates --to torch exported/dates
  cd exported/dates && python check.py                     the same logits, loss, answers as here
  cd exported/dates && python translate.py "3 May 99"      needs torch, and not minis2s
  minis2s export runs/dates --to onnx exported/onnx
  cd exported/onnx && python run.py "3 May 99"             needs onnxruntime and NumPy

A model that reads sounds, pictures or arrays is exported as well; its translate.py is given files."""


def arguments(parser):
    """Which run, what form, where to."""
    parser.add_argument("run_dir", metavar="RUN", help="directory of a run")
    parser.add_argument("--to", choices=("torch", "onnx"), default="torch", help="the form (default: torch)")
    parser.add_argument("out", metavar="DIR", help="directory to make")
    parser.add_argument("--overwrite", action="store_true", help="replace DIR if it is an exported model")


def run(args):
    """Write the folder and say what to do with it."""
    from ..api.seq2seq import Seq2Seq
    from ..pytorch.export import export
    folder = export(Seq2Seq.load(args.run_dir), args.out, args.overwrite, form=args.to)
    checking = "check.py" if args.to == "torch" else "run.py --check"
    print(f"exported to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}\n"
          f"check with:  cd {folder} && python {checking}")
    return 0
