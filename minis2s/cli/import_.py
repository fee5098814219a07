"""minis2s import: make a run of somebody's encoder-decoder of torch.nn layers."""
from ..pytorch import importing

NAME, HELP = "import", "make a run of an encoder-decoder of torch.nn.LSTM, GRU or RNN"
EPILOG = ("examples:\n  minis2s import their_model --out runs/theirs\n\n"
          + importing.__doc__.partition("\n\n")[2])


def arguments(parser):
    """From where, to where."""
    parser.add_argument("folder", metavar="DIR", help="model.safetensors, vocabulary.json, mapping.json: see below")
    parser.add_argument("--out", required=True, metavar="RUN", help="directory of the run to make")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in RUN")


def run(args):
    """Read, write, and say how large it is."""
    from ..api.seq2seq import Seq2Seq
    from ..data.tokenizer import Tokenizer
    found = importing.read(args.folder)
    model = Seq2Seq(found.config, **found.units)
    model.params, model.lengths, (model.source_vocab, model.target_vocab) = found.params, found.lengths, found.vocabs
    model.source_tokenizer, model.target_tokenizer = (
        Tokenizer(unit, model.lowercase, None) for unit in (model.source_units, model.target_units))
    model.save(args.out, overwrite=args.overwrite)
    print(f"imported to {args.out}: {model.summary().splitlines()[0]}\n"
          f"answer with:  minis2s translate {args.out} TEXT")
    return 0
