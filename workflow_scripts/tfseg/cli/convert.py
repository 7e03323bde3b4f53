"""Convert labels of recordings from and to the formats of other programs, told by their content.

PATH is a file of annotations, a folder of them, or results of `tfseg apply`. By default OUT gets
clips.csv and strong.tsv, which a training reads. Nothing is written if a line is wrong; a report says
what was read, merged and left out.
"""

import argparse
from pathlib import Path

from tfseg.annotations.collect import collect
from tfseg.annotations.registry import formats
from tfseg.annotations.report import fitted
from tfseg.cli.terminal import say
from tfseg.errors import DataError, NotWrittenError, TfsegError
from tfseg.io.files import write_text
from tfseg.io.validation import one_line

_DEFAULT = "clips"


def _parser():
    known = formats()
    parser = argparse.ArgumentParser(
        prog="tfseg convert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 done; 1 the files could not be written; 2 wrong usage, or annotations\n"
        "that cannot be used.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file or folder of annotations")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the files")
    parser.add_argument(
        "--to",
        choices=[name for name, declared in known.items() if declared.is_written],
        default=_DEFAULT,
        help="format to write; default %(default)s",
    )
    parser.add_argument(
        "--from",
        dest="source_format",
        choices=list(known),
        help="format of the annotations; default: told by their content",
    )
    parser.add_argument(
        "--audio",
        metavar="DIR",
        help="folder of the recordings: names are matched with its files, and times are checked "
        "against their lengths",
    )
    parser.add_argument(
        "--label-column", metavar="NAME", help="column of a Raven table that has the labels"
    )
    parser.add_argument(
        "--rename",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="give a label another name; may be repeated",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace files of the same names in the folder"
    )
    return parser


def _renamed(pairs):
    """Parse ``OLD=NEW``."""
    wrong = [pair for pair in pairs if not all(part.strip() for part in pair.partition("="))]
    if wrong:
        raise DataError(f"--rename: expected OLD=NEW, found {wrong[0]!r}")
    return {old.strip(): new.strip() for old, _, new in (pair.partition("=") for pair in pairs)}


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    target, folder = formats()[options.to], Path(options.out)
    try:
        recordings, report = collect(
            options.paths,
            options.source_format,
            audio=options.audio,
            label_column=options.label_column,
            rename=_renamed(options.rename),
        )
        kept = fitted(recordings, target, report)
        files = target.module.write(kept, folder) if kept else {}
        there = [path for path in files if path.exists()]
        if there and not options.overwrite:
            raise DataError(
                f"{there[0]}: expected nothing there, found a file: name another folder, or replace "
                "it with --overwrite"
            )
        for path, text in files.items():
            write_text(path, text)
    except (NotWrittenError, OSError) as error:
        say(f"error: {error}")
        return 1
    except TfsegError as error:
        parser.error("\n".join(map(one_line, str(error).split("\n"))))
    for line in report.lines(kept):
        say(line)
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    say(f"Wrote {next(iter(files))}{more}" if files else "Wrote nothing: no recording is left")
    return 0
