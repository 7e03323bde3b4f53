"""Ask about the stretches of recordings whose labels help a model most, on a page in the browser.

It chooses stretches with uncertain tags, stretches in which the models disagree, and stretches
unlike the training clips. They spread over recordings and classes. The page shows and plays each
one, and asks which classes sound in it: yes, no or unsure, by one key each. Every answer is on the
disk before the next question: OUT/answers.csv. OUT/clips.csv has the answered stretches as clips
with tags, as `corpus.kind: clips` takes them. OUT/stretches.csv lists the stretches, and why.

The same command goes on at the first question without an answer. So does `tfseg review --out OUT`.
"""

import argparse
import importlib.util
from contextlib import ExitStack, closing
from pathlib import Path

import torch

from tfseg.apply.listing import find_recordings
from tfseg.apply.results import results_in
from tfseg.apply.settings import missing_for_pages
from tfseg.errors import ConfigError, DataError, NotWrittenError, TfsegError
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.validation import one_line
from tfseg.job.hardware import choose_device, choose_precision
from tfseg.review import clips
from tfseg.review.answers import FILE as ANSWERS_FILE
from tfseg.review.answers import Answers
from tfseg.review.folder import (
    DESCRIPTION,
    Review,
    ReviewSettings,
    describe_request,
    locked,
    prepare,
)
from tfseg.review.stretches import check_models


def _parser():
    defaults = ReviewSettings()
    parser = argparse.ArgumentParser(
        prog="tfseg review",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 done; 1 a file could not be written; 2 wrong usage.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="sound file, folder, list (.txt, .csv, .tsv), or results of tfseg apply; none: go on "
        "with the review in OUT",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of trained models with the same classes, such as those of the folds",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the review")
    parser.add_argument(
        "--stretches",
        type=int,
        default=defaults.stretches,
        metavar="N",
        help="how many to ask about, at most; default %(default)s",
    )
    parser.add_argument(
        "--stretch-s",
        type=float,
        default=defaults.stretch_s,
        metavar="S",
        help="length of each; default %(default)g",
    )
    parser.add_argument(
        "--labelled",
        metavar="CLIPS_CSV",
        help="clips with tags that OUT/clips.csv has, too, such as those the models were trained on",
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="of the page; default: any that is free"
    )
    parser.add_argument(
        "--no-page",
        dest="page",
        action="store_false",
        help="choose stretches and write OUT/clips.csv, and ask nothing",
    )
    parser.add_argument(
        "--device", choices=["auto", "cpu"], default="auto", help="default: a GPU if there is one"
    )
    parser.add_argument(
        "--threads", type=int, metavar="N", help="CPU threads; default: one per core"
    )
    return parser


def _check_libraries():
    """Refuse to begin without the libraries of the extra ``review``."""
    missing = missing_for_pages()
    missing += [] if importlib.util.find_spec("bottle") else ["bottle"]
    if missing:
        raise ConfigError(
            f"a review needs {', '.join(missing)}: expected that, found it not installed. Run "
            "pip install 'tfseg[review]'"
        )


def _recordings(paths, out):
    """Recordings that paths name; of a folder of results, those that were analysed."""
    named = []
    for path in paths:
        results = results_in(Path(path)) if Path(path).is_dir() else {}
        named += [facts["recording"] for facts in results.values()] or [path]
    listing = find_recordings(named, out)
    for note in listing.notes:
        print(note)
    return listing.recordings


def _load_models(options):
    device = choose_device(int(options.device == "auto"), log=print)
    models = [load_model_folder(folder, device) for folder in options.models]
    check_models(models)
    for model in models:
        model.network.precision = choose_precision("auto", device, log=lambda text: None)
    return models


def _prepared(out, options):
    """Prepare the review in OUT, unless it is there."""
    is_there = (out / DESCRIPTION).is_file()
    if not options.paths and not options.models and is_there:
        return Review(out)
    if not options.paths or not options.models:
        raise DataError(
            f"{out}: expected a review to go on with, or recordings and --models for a new one, found "
            f"{'only one of them' if options.paths or options.models else 'neither'}"
        )
    if options.labelled:
        clips.labelled_clips(options.labelled)  # what is wrong with it is said before the work
    settings = ReviewSettings(options.stretches, options.stretch_s)
    recordings, models = _recordings(options.paths, out), _load_models(options)
    if is_there:
        review = Review(out)
        wanted = describe_request(recordings, models, settings, options.labelled)
        others = [key for key, value in wanted.items() if review.request.get(key) != value]
        if others:
            raise DataError(
                f"{out}: expected this review, found one of other {', '.join(others)}. Go on with it "
                f"(tfseg review --out {out}), or name another folder"
            )
        return review
    prepare(out, recordings, models, settings, labelled=options.labelled)
    return Review(out)


def _say_counts(review, answers):
    counts = clips.count(review.stretches, answers.given)
    print(
        f"{counts['stretches'] - counts['open']} of {counts['stretches']} stretches answered; "
        f"{review.folder / clips.FILE}: {counts['clips']} of them, {counts['unsure']} left out as "
        "unsure",
        flush=True,
    )


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    out = Path(options.out)
    with ExitStack() as held:
        try:
            _check_libraries()
            # Here, since it imports bottle, which the message above is for.
            from tfseg.review.server import make_server

            if out.exists() and not out.is_dir():
                raise DataError(f"{out}: expected a folder for the review, found a file")
            if options.threads:
                torch.set_num_threads(options.threads)
            held.enter_context(locked(out))
            review = _prepared(out, options)
            table = review.request["labelled"]
            labelled = clips.labelled_clips(table) if table else []
            if table:
                clips.write_tables_beside(out, table, review.stretches)
            answers = held.enter_context(closing(Answers(out / ANSWERS_FILE, review.questions)))
            server, address = make_server(review, answers, labelled, port=options.port)
            held.enter_context(closing(server.socket))
        except (NotWrittenError, OSError) as error:
            print(f"error: {error}", flush=True)
            return 1
        except TfsegError as error:
            parser.error("\n".join(map(one_line, str(error).split("\n"))))
        if options.page:
            print(f"Open {address}", flush=True)
            print("Ctrl-C ends it; every answer is kept.", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print()
        _say_counts(review, answers)
    return 0
