"""The command line, a file for each command: NAME, HELP, EPILOG, arguments(parser), run(args) -> exit status."""
