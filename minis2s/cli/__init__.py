"""The command line, a file for each command: NAME, HELP, EPILOG, arguments(parser), run(args) -> exit status.  Start
with main.py, then train.py.

    main.py           which command, and how errors are shown: one line and status 2
    sources.py        the pairs that a command reads
    train_options.py  the options of training, their defaults and help
    streams.py        standard input and output
    wording.py        argparse's own messages in the words of the others

It may import everything.
"""
