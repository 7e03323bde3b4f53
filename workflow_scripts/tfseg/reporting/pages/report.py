"""The content of the report, as plain values for its template."""

import base64
import importlib.metadata
import math
import platform
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from tfseg import __version__
from tfseg.datasets.corpora import find_corpora
from tfseg.evaluation.confusion import confusion_rates
from tfseg.io.files import reading_hdf5
from tfseg.reporting import leaderboard
from tfseg.reporting.figures.registry import SECTIONS
from tfseg.reporting.pages.result_tables import Cell, Column, Table, read_table, with_minus

# Not a parameter of the rule: the location of a run must not matter.
REPOSITORY = Path(__file__).resolve().parents[4]
# Packages whose versions may affect results.
_PACKAGES = ("torch", "numpy", "scipy", "librosa", "soundfile", "soxr", "snakemake")
# Columns of Snakemake's benchmark files (s, s, MB), and how those of several jobs are combined.
_SUMMED = {"jobs": "sum", "s": "sum", "cpu_time": "sum", "max_rss": "max"}


def versions():
    """Versions of the software that made the report: name to text."""
    return {
        "tfseg": __version__,
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def git_commit(folder):
    """Find the commit that is checked out in `folder`, and whether files differ from it.

    Returns
    -------
    commit : str or None
        None if it is not a git checkout, or git is missing.
    """

    def ask(*arguments):
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        if Path(ask("rev-parse", "--show-toplevel")).resolve() != Path(folder).resolve():
            return None  # a folder inside another repository
        changed = ask("status", "--porcelain", "--untracked-files=no")
        return ask("rev-parse", "HEAD") + (", with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _duration(seconds):
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02d} s"
        if minutes < 60
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )


def stages(folder):
    """Time and memory of each rule's jobs, from Snakemake's benchmark files.

    Parameters
    ----------
    folder : path-like
        ``results/<run>/benchmarks``.

    Returns
    -------
    table : Table
        The slowest rule first; no rows without benchmarks.
    """
    sums = {}
    for rule in sorted(path for path in Path(folder).glob("*") if path.is_dir()):
        jobs = [
            pd.read_csv(path, sep="\t", na_values="-") for path in sorted(rule.glob("**/*.tsv"))
        ]
        if jobs:
            sums[rule.name] = _summed(pd.concat(jobs).assign(jobs=1))
    frame = pd.DataFrame.from_dict(sums, orient="index", columns=[*_SUMMED])
    frame = frame.sort_values("cpu_time", ascending=False, kind="stable")
    columns = ("jobs", "wall-clock", "CPU time", "memory")
    return Table(
        "stages",
        "Time and memory of each stage",
        "Times are sums over a rule's jobs, of which several may have run at once. Memory is that "
        "of the largest job. Energy was not measured.",
        [Column("rule", numeric=False), *(Column(column) for column in columns)],
        [_stage_cells(rule, values) for rule, values in frame.iterrows()],
        [_stage_cells("all", _summed(frame))],
    )


def training_times(folder, systems):
    """Wall-clock time of each system's trainings, from Snakemake's benchmark files.

    Parameters
    ----------
    folder : path-like
        ``results/<run>/benchmarks``.
    systems : sequence of str

    Returns
    -------
    seconds : dict of str to float
        Sums over SNRs, folds and repeats. For a resumed training, only the time since its last
        start is known.
    """
    seconds = {}
    for system in systems:
        paths = sorted(Path(folder, "train_model").glob(f"snr*-{system}-fold*-seed*.tsv"))
        if paths:
            seconds[system] = sum(float(pd.read_csv(path, sep="\t")["s"].sum()) for path in paths)
    return seconds


def leaderboard_table(csv, md, seconds):
    """The leaderboard, with the training time, which differs between runs.

    Parameters
    ----------
    csv, md : path-like
        As `tfseg.reporting.leaderboard.write` wrote them.
    seconds : dict of str to float
        As `training_times` returns.

    Returns
    -------
    table : Table
    """
    frame = pd.read_csv(csv, dtype={"system": str}, keep_default_na=False, na_values=[""])
    caption = Path(md).read_text(encoding="utf-8").split("\n\n", 1)[0]
    rows = []
    for _, row in frame.iterrows():
        cells = [Cell(row["system"], row["system"])]
        for column in leaderboard.TABLE.columns:
            text, interval = map(with_minus, leaderboard.cell_of(row, column))
            value = row[leaderboard.csv_name(column)]
            cells.append(Cell(text, None if pd.isna(value) else float(value), interval))
        n_parameters, macs = int(row["parameters"]), float(row["mac_per_clip"])
        cells.append(Cell(f"{n_parameters:,}".replace(",", " "), n_parameters))
        cells.append(Cell(f"{macs / 1e6:.1f}", macs))
        took = seconds.get(row["system"])
        cells.append(Cell("–", None) if took is None else Cell(_duration(took), took))
        rows.append(cells)
    headings = [
        *map(leaderboard.heading, leaderboard.TABLE.columns),
        "parameters",
        "MMAC",
        "training",
    ]
    title, _, rest = caption.partition(": ")
    return Table(
        "leaderboard",
        title,
        f"{rest[:1].upper()}{rest[1:]} Training is the wall-clock time of all trainings of a "
        "system, as measured by Snakemake. For a resumed training only the time since its last "
        "start is known, so the sum is a lower bound.",
        [Column("system", numeric=False), *(Column(heading) for heading in headings)],
        rows,
    )


def _summed(frame):
    return {name: getattr(frame[name], how)() for name, how in _SUMMED.items()}


def _stage_cells(rule, values):
    memory = values["max_rss"]  # Snakemake does not know that of a very short job
    return [
        Cell(rule, rule),
        Cell(f"{values['jobs']:.0f}", float(values["jobs"])),
        Cell(_duration(values["s"]), float(values["s"])),
        Cell(_duration(values["cpu_time"]), float(values["cpu_time"])),
        Cell("–", None) if math.isnan(memory) else Cell(f"{memory:.0f} MB", float(memory)),
    ]


def facts(config, descriptions, licences, commit):
    """Facts about the run, as (heading, text) pairs.

    Parameters
    ----------
    config : dict
    descriptions : list of dict
        ``model.json`` of one training of each system.
    licences : dict
        ``corpus/licences.json``.
    commit : str or None
    """
    split, mixing = config["split"], config["mixing"]
    folds = (
        "the corpus's own split"
        if split["kind"] == "fixed"
        else f"{split['folds']} folds by {split['by']}"
    )
    corpus = find_corpora()[config["corpus"]["kind"]]
    told = [
        ("Experiment", config["run"]),
        ("Corpus", corpus.summary),
        (
            "Licences",
            ", ".join(f"{name or 'not stated'}: {n}" for name, n in licences["licences"].items())
            + " (recordings); authors and sources are in corpus/attribution.csv",
        ),
    ]
    if licences["restricted"]:
        told.append(
            (
                "Restricted",
                "not for commercial use, results included: " + "; ".join(licences["restricted"]),
            )
        )
    told += [
        (
            "Classes",
            f"{len(config['corpus']['classes'])}: "
            + ", ".join(config["corpus"]["classes"]).replace("_", " "),
        ),
        ("Held out", folds),
    ]
    if not corpus.is_clips:
        snrs = ", ".join(f"{snr:g}" for snr in mixing["snr_db"])
        per_fold = mixing["mixtures_per_fold"]
        counts = " and ".join(map(str, per_fold)) if isinstance(per_fold, list) else per_fold
        told.append(
            ("Mixtures", f"{counts} of {mixing['duration_s']:g} s in each fold, at {snrs} dB")
        )
    repeats = config["repeats"]
    told += [
        ("Systems", ", ".join(config["systems"])),
        (
            "Seed",
            f"{config['seed']}; {repeats} training{'s' if repeats > 1 else ''} of each system, SNR and fold",
        ),
        (
            "Trained in",
            " and ".join(sorted({description["trained_in"] for description in descriptions}))
            + f", {config['training']['iterations']} iterations of {config['training']['batch_size']} clips",
        ),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions().items())),
        ("Commit", commit or "not a git checkout"),
    ]
    return told


def figure(name, png_path, caption):
    """Embed a figure with its caption.

    Parameters
    ----------
    name : str
    png_path : path-like
    caption : str
        As for ``snakemake --report``, where two backticks surround code.

    Returns
    -------
    figure : dict
        name, url, caption.
    """
    content = base64.b64encode(Path(png_path).read_bytes()).decode()
    return {
        "name": name,
        "url": f"data:image/png;base64,{content}",
        "caption": " ".join(caption.replace("``", "").split()),
    }


def figures_by_section(figures):
    """Embed the figures of a run.

    Parameters
    ----------
    figures : iterable of dict
        ``name, section, caption, png`` of each.

    Returns
    -------
    sections : dict of str to list of dict
        As `figure` returns them, by each of `tfseg.reporting.figures.registry.SECTIONS`.
    """
    return {
        section: [
            figure(one["name"], one["png"], one["caption"])
            for one in figures
            if one["section"] == section
        ]
        for section in SECTIONS
    }


def result_tables(paths, by_class_snr_db):
    """Read the tables of a run.

    Parameters
    ----------
    paths : dict of str to dict
        ``csv`` and ``md`` of each table.
    by_class_snr_db : float or None
        SNR of the tables by class; None for clips that were not mixed here.

    Returns
    -------
    found : dict
        ``tables``, and ``compared``: whether any table has values of a paper.
    """
    tables = [read_table(one["csv"], one["md"], by_class_snr_db) for one in paths.values()]
    headings = {column.heading for table in tables for column in table.columns}
    return {"tables": tables, "compared": "paper" in headings}


def confusions(paths, tag_threshold, classes):
    """Class confusion of each system, over all held-out folds and repeats.

    Parameters
    ----------
    paths : dict of str to list of str
        Files of scores, by system.
    tag_threshold : float
    classes : sequence of str

    Returns
    -------
    tables : list of Table
    """
    tables = []
    for system, of_system in paths.items():
        tags, target = [], []
        for path in of_system:
            with reading_hdf5(path) as file:
                tags.append(file["tags"][:])
                target.append(file["target"][:].astype(bool))
        rates, n_clips = confusion_rates(
            np.concatenate(tags), np.concatenate(target), tag_threshold
        )
        tables.append(confusion_table(system, rates, n_clips, classes))
    return tables


def confusion_table(system, rates, n_clips, classes):
    """Build the table of one system's class confusion.

    Parameters
    ----------
    system : str
    rates, n_clips
        As `tfseg.evaluation.confusion.confusion_rates` returns.
    classes : sequence of str

    Returns
    -------
    table : Table
        The rate determines the colour of a cell.
    """
    names = [label.replace("_", " ") for label in classes]
    rows = [
        [
            Cell(name, name),
            *(
                Cell("–", None)
                if np.isnan(rate)
                else Cell(f"{rate:.2f}", float(rate), spread=f"of {n} clips", share=float(rate))
                for rate, n in zip(rates[i], n_clips[i], strict=True)
            ),
        ]
        for i, name in enumerate(names)
    ]
    columns = [Column("sounds \\ predicted", numeric=False), *(Column(name) for name in names)]
    return Table(f"confusion-{system}", system, "", columns, rows)
