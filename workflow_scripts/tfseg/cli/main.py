"""The command ``tfseg``: its options, and which module does what it is asked for."""

import argparse
import importlib
import sys

from tfseg import __version__

# The module of the same name has `main(arguments)`; imported when asked for, since it loads torch.
COMMANDS = {
    "apply": "find the sounds of a trained model in recordings of any length",
    "convert": "bring labels of recordings from and to the formats of other programs",
    "export": "write a trained model as ONNX",
    "info": "say what a trained model knows, and what it was trained on",
    "review": "ask a person about the stretches whose labels help a model most",
}


def _parser():
    parser = argparse.ArgumentParser(
        prog="tfseg",
        description="Sound events, time-frequency masks and separated sounds, by trained models.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n"
        + "".join(f"  {name:<8}{line}\n" for name, line in COMMANDS.items())
        + "\n`tfseg COMMAND --help` lists the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"tfseg {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    # Only shown: `main` hands them to the command as they are.
    parser.add_argument("arguments", nargs="*", default=[], metavar="...", help="of the command")
    return parser


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str or None
        None: those of the process.

    Returns
    -------
    status : int
        Exit status: 0 all done, 1 something could not be done. Wrong use exits with 2.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # The first argument decides; what follows may look like options of this parser.
    command = _parser().parse_args(arguments[:1]).command
    return importlib.import_module(f"tfseg.cli.{command}").main(arguments[1:])
