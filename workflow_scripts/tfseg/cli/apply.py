"""Apply a trained model to recordings of any length: detect events and separate their sounds.

Each recording gets a folder in OUT. It has the events with times, frequencies and confidence, as
tables and as labels for Audacity and Raven. It has the sound of each class that was found, and the
rest (they sum to the recording). It has a picture, and a page to look at and listen to.
OUT/index.html leads to all pages. OUT/summary.csv counts events. OUT/recordings.csv has the status
of each recording: done, done with warnings, or failed, and why. OUT/events.parquet has a row for each
event, where the extra 'parquet' is installed.
"""

import argparse
from dataclasses import fields
from pathlib import Path

import torch

from tfseg.apply.bulk import Batch, apply_to
from tfseg.apply.events_table import NO_PARQUET, missing_for_parquet
from tfseg.apply.listing import (
    find_recordings,
    match_reference,
    unused_note,
    with_earlier_names,
)
from tfseg.apply.results import analyses_in, check_model_of_results, results_in
from tfseg.apply.scores import AS_RECORDED, AS_TRAINED
from tfseg.apply.settings import ApplySettings, missing_for_pages
from tfseg.apply.summary import check_folder, write_summary
from tfseg.apply.workers import WorkerDiedError
from tfseg.cli.terminal import say
from tfseg.errors import DataError, NotWrittenError, TfsegError
from tfseg.inference.events import read_events
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.validation import one_line
from tfseg.job.hardware import choose_device, choose_precision

# Keys of `ApplySettings` that are numbers; what the others are called differs.
_NUMBERS = (
    ("window_s", float, "length of a window; default: that of the training clips"),
    (
        "block_s",
        float,
        "length that is read at once; no effect on results; default %(default)g",
    ),
    ("batch_size", int, "windows in a batch; default %(default)s"),
)
_NO_PAGES = (
    "no pages and no pictures are written: they need more libraries. For them run pip install "
    "'tfseg[pages]', then the same command with --overwrite"
)


def _count(text):
    """Take a number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text!r}")
    return int(text)


def _parser():
    defaults = ApplySettings(page=False)
    parser = argparse.ArgumentParser(
        prog="tfseg apply",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 all done; 1 some recordings could not be analysed (they are listed,\n"
        "the others are done); 2 wrong usage. Recordings that OUT already has, by the same model and\n"
        "settings, are not analysed again.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="sound file, folder, or list (.txt: a path per line; .csv, .tsv: a column 'path')",
    )
    parser.add_argument(
        "--model",
        required=True,
        metavar="DIR",
        help="folder of a trained model",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--reference",
        metavar="TSV",
        help="known events of the recordings (DESED's table), shown beside the detected ones",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace results of another model or settings"
    )
    parser.add_argument(
        "--no-sounds", dest="sounds", action="store_false", help="write no separated sounds"
    )
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument(
        "--page",
        action="store_true",
        default=None,
        help="write pictures and pages; default: where the extra 'pages' is installed",
    )
    pages.add_argument(
        "--no-page", dest="page", action="store_false", help="write no pictures and pages"
    )
    parser.add_argument(
        "--level",
        choices=[AS_TRAINED, AS_RECORDED],
        default=defaults.level,
        help="scale a recording so that its loud parts are as in training, or leave its level; "
        "default %(default)s",
    )
    for name, kind, text in _NUMBERS:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=getattr(defaults, name),
            metavar="N" if kind is int else "S",
            help=text,
        )
    parser.add_argument(
        "--device", choices=["auto", "cpu"], default="auto", help="default: a GPU if there is one"
    )
    parser.add_argument(
        "--precision",
        choices=["auto", "float32", "bfloat16"],
        default="auto",
        help="precision of the network; auto: bfloat16 where the hardware supports it",
    )
    cores = parser.add_mutually_exclusive_group()
    cores.add_argument(
        "--threads", type=_count, metavar="N", help="CPU threads; default: one per core"
    )
    cores.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="analyse N recordings at a time, each in a process with one thread; for many files. "
        "Results do not depend on N",
    )
    return parser


def _known_events(table, recordings):
    """Events of a table by the names of the recordings, and what to say of those it means not."""
    events = read_events(table)
    known, unused = match_reference(events, recordings, table)
    return {
        name: [event for file_name in file_names for event in events[file_name]]
        for name, file_names in known.items()
    }, unused_note(unused, table)


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    out = Path(options.out)
    try:
        if out.exists() and not out.is_dir():
            raise DataError(f"{out}: expected a folder for the results, found a file")
        check_folder(out)
        listing = find_recordings(options.paths, out)
        known = results_in(out)
        recordings = with_earlier_names(listing.recordings, known)
        notes, reference = listing.notes, {}
        if options.reference:
            reference, unused = _known_events(options.reference, recordings)
            notes = [*notes, *unused]
        if options.threads:
            torch.set_num_threads(options.threads)
        device = choose_device(int(options.device == "auto"), log=say)
        model = load_model_folder(options.model, "cpu" if options.workers else device)
        if not options.overwrite:
            check_model_of_results(out, known, model)
        model.network.precision = choose_precision(options.precision, device, log=say)
        if options.page is None:
            options.page = not missing_for_pages()
            notes = notes if options.page else [*notes, _NO_PAGES]
        given = {field.name: getattr(options, field.name) for field in fields(ApplySettings)}
        settings = ApplySettings(**given)
    except TfsegError as error:
        parser.error("\n".join(map(one_line, str(error).split("\n"))))
    for note in notes if not missing_for_parquet() else [*notes, NO_PARQUET]:
        say(note)
    try:
        done, failures = apply_to(
            recordings,
            Batch(out, settings, overwrite=options.overwrite),
            model,
            reference=reference,
            workers=options.workers,
            device=device,
            say=say,
        )
        names = {recording.name for recording in recordings}
        earlier = {
            name: about["recording"]
            for name, about in known.items()
            if name not in names and about.get("model_sha256") == model.sha256
        }
        write_summary(out, analyses_in(out, done | earlier), failures, model, notes)
    except (NotWrittenError, WorkerDiedError, OSError) as error:
        # A full disk, or no memory: what is done stays, and is not done again.
        say(f"error: {error}")
        return 1
    if failures:
        say(f"{len(failures)} of {len(recordings)} recordings could not be analysed:")
        for (_, path), reason in failures.items():
            say(f"  {reason}" if reason.startswith(path) else f"  {path}: {reason}")
    say(f"Look at {out / 'index.html'}")
    return 1 if failures else 0
