"""The commands of the command line, a file each: NAME, HELP, EPILOG, arguments(parser), run(args) -> exit status."""
