"""One round of label, train, review, train again on the embedded corpus, with known answers.

    python analyses/label_round.py [--seeds 3] [--iterations 300] [--out results/label_round]

Clips of 5 s with tags and long recordings without any are made of one half of the corpus, long
recordings to score on of the other half (other pitches, other places). Each round trains the demo's
recommended system on the tagged clips, held-out fold by held-out fold, and then again with 20
stretches more:

- review: those that `tfseg review` chooses by the models of the folds, answered from the truth;
- random: 20 stretches drawn at random.

A class sounds in a stretch if at least 0.05 s of an event are in it. Frame F1 is at the papers'
fixed threshold, in macro average over the classes; mAP is the mean average precision of the frames.
Both are means over the models of the folds. The table has a row for each seed, and the mean.
"""

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import yaml
from sklearn.metrics import average_precision_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow_scripts"))

from tfseg.apply.in_memory import apply_model, load_model
from tfseg.apply.listing import Recording
from tfseg.datasets.assemble import clip_tables, deal_folds
from tfseg.datasets.clips import list_recordings
from tfseg.datasets.embedded import render_corpus
from tfseg.datasets.folds import TRAIN
from tfseg.features.feature_set import load_features
from tfseg.features.logmel import FeatureSettings, extract_clips
from tfseg.inference.forward import save_model
from tfseg.inference.model_folder import DESCRIPTION, DETECTION, WEIGHTS, training_facts
from tfseg.inference.operating_point import detection_settings, write_detection
from tfseg.io.audio import write_wav
from tfseg.io.files import file_sha256, write_csv, writing_hdf5
from tfseg.job.seeding import derive_seed, generator
from tfseg.mixing.soundscape import SoundscapeSettings, make_soundscape
from tfseg.review import clips
from tfseg.review.answers import FILE as ANSWERS_FILE
from tfseg.review.answers import NO, YES, Answers
from tfseg.review.folder import Review, ReviewSettings, locked, prepare, read_stretch
from tfseg.run.experiment import Experiment
from tfseg.settings.recipes import merged
from tfseg.training.settings import read_settings
from tfseg.training.system import train_system

REPOSITORY = Path(__file__).resolve().parent.parent
SYSTEM = "unet"
SPLIT = {"kind": "folds", "folds": 2, "by": "source", "validation": 0.0}
LEAST_S = 0.05  # of an event in a stretch
ROUNDS = ("before", "review", "random")


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is.

    Parameters
    ----------
    clips : int
        With tags, of `stretch_s` seconds.
    pool, scored : int
        Long recordings without tags, and those that are scored.
    long_s, stretch_s : float
        Lengths of the long recordings and of a stretch.
    stretches : int
        Answered in a round.
    iterations : int
        Of each training.
    groups : int
        Pitches of a class, and places of a scene.
    """

    clips: int = 40
    pool: int = 8
    scored: int = 6
    long_s: float = 60.0
    stretch_s: float = 5.0
    stretches: int = 20
    iterations: int = 300
    groups: int = 12


def demo_config(sizes):
    """The demo's config, for ready clips."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    demo = yaml.safe_load((REPOSITORY / "experiments/mini.yaml").read_text(encoding="utf-8"))
    changes = {"iterations": sizes.iterations, "excerpt_s": sizes.stretch_s}
    return merged(merged(config, demo), {"systems": [SYSTEM], "training": changes})


def tags_of(events, start_s, stop_s):
    """Classes of which at least `LEAST_S` lie in a stretch; events are (onset_s, offset_s, label)."""
    return {
        label
        for onset_s, offset_s, label in events
        if min(offset_s, stop_s) - max(onset_s, start_s) >= LEAST_S
    }


class Sounds:
    """The recordings of one seed, and what sounds in them.

    Parameters
    ----------
    folder : Path
    corpus : pd.DataFrame
        Rows of `tfseg.datasets.embedded.render_corpus`, with folds and lengths.
    sizes : Sizes
    resampler : str
    seed : int
    """

    def __init__(self, folder, corpus, sizes, resampler, seed):
        self._folder, self._corpus, self._sizes = folder, corpus, sizes
        self._resampler, self._seed = resampler, seed
        self.events = {}
        self.pool = [self._make(f"pool{n}.wav", 1, sizes.long_s) for n in range(sizes.pool)]
        self.scored = [self._make(f"scored{n}.wav", 2, sizes.long_s) for n in range(sizes.scored)]
        self.labelled = self._tagged_clips()

    def _make(self, name, fold, duration_s):
        """Make a recording of one half of the corpus; its path."""
        rows = self._corpus[self._corpus["fold"] == fold]
        settings = SoundscapeSettings(name, duration_s, 10.0, 32000, 1)
        samples, events = make_soundscape(
            rows[rows["role"] == "event"],
            rows[rows["role"] == "scene"],
            settings,
            max_event_s=2.0,
            resampler=self._resampler,
            seed=self._seed,
        )
        path = self._folder / name
        write_wav(path, samples[:, 0], settings.sample_rate, "PCM_16")
        self.events[str(path)] = events
        return path

    def _tagged_clips(self):
        """Cut a recording into clips, and write their tags; the path of ``clips.csv``."""
        stretch_s, rows = self._sizes.stretch_s, []
        path = self._make("labelled.wav", 1, stretch_s * self._sizes.clips)
        for n in range(self._sizes.clips):
            start_s, stop_s = n * stretch_s, (n + 1) * stretch_s
            samples, rate = read_stretch(path, start_s, stop_s)
            clip = self._folder / f"labelled/{n:04d}.wav"
            write_wav(clip, samples[:, 0], rate, "PCM_16")
            tags = tags_of(self.events[str(path)], start_s, stop_s)
            rows.append({"path": clip.name, "tags": ";".join(sorted(tags)), "group": clip.name})
        clips.write_clips(self._folder / "labelled" / clips.FILE, rows)
        return self._folder / "labelled" / clips.FILE


def train(config, data_root, out, seed):
    """Train a model for each held-out fold of ``clips.csv``, as the workflow does; their folders."""
    experiment = Experiment(config)
    recipe, classes = experiment.recipes[SYSTEM], config["corpus"]["classes"]
    found = list_recordings(data_root, classes=classes, other_labels="error")
    found["stop_s"] = [soundfile.info(path).duration for path in found["path"]]
    found = found.assign(fold=deal_folds(found, SPLIT, seed), part=TRAIN)
    table = clip_tables(found, data_root)["clips"]
    settings = read_settings(recipe.own_training)
    ibm = {"ibm_criterion_db": config["features"]["ibm_criterion_db"]}
    features = FeatureSettings(**config["features"] | ibm)
    folders = []
    for fold in (1, 2):
        folder = out / f"fold{fold}"
        folder.mkdir(parents=True)
        path = folder / "features.h5"
        with writing_hdf5(path) as file:
            extract_clips(
                file,
                table[table["fold"] != fold],
                features,
                classes=classes,
                resampler=config["mixing"]["resampler"],
            )
        data = load_features([path])
        description = {
            "system": SYSTEM,
            "network": recipe.network,
            "classes": list(classes),
            "features": data.settings,
            "trunk": recipe.own_trunk,
            "pooling": recipe.own_pooling,
            "baselines": {},
            "training": recipe.own_training,
            "precision": "float32",
            "snr_db": None,
            "held_out_fold": fold,
            "repeat": 0,
        }
        network, _ = train_system(
            description,
            data,
            settings,
            seed=derive_seed(seed, "train", fold),
            precision="float32",
            data_sha256=file_sha256(path),
            code_digest="",
            state_path=folder / "state",
        )
        network.eval()
        mixing = {"resampler": config["mixing"]["resampler"]}
        facts = training_facts(data, "", "clips", mixing, settings.excerpt_s)
        facts |= {"licences": {}, "restricted": [], "trained_in": "float32"}
        save_model(folder / WEIGHTS, folder / DESCRIPTION, network, description | facts)
        thresholds = experiment.fixed_thresholds()
        write_detection(
            folder / DETECTION, detection_settings(thresholds, experiment.event_settings())
        )
        folders.append(folder)
    return folders


def score(folders, sounds, classes):
    """Frame F1 and mAP on the recordings that are scored, as means over models."""
    values = []
    for folder in folders:
        model = load_model(folder, precision="float32")
        scores, truth = [], []
        for path in sounds.scored:
            with apply_model(model, path) as applied:
                events = [(label, on, off) for on, off, label in sounds.events[str(path)]]
                grid = model.settings.grid
                scores.append(applied.frames)
                truth.append(grid.strong_labels(events, classes, len(applied.frames)))
        frames, strong = np.concatenate(scores), np.concatenate(truth)
        there = strong.any(axis=0)  # classes without reference are in no average
        frames, strong = frames[:, there], strong[:, there]
        found = frames > model.detection.frame_threshold
        f1 = 2 * (found & strong).sum(axis=0) / np.maximum((found.sum(0) + strong.sum(0)), 1)
        values.append((f1.mean(), average_precision_score(strong, frames, average="macro")))
    return np.mean(values, axis=0)


def reviewed(out, sounds, models, sizes):
    """Choose stretches as `tfseg review` does, and answer from the truth; the new data root."""
    recordings = [Recording(path.name, path) for path in sounds.pool]
    settings = ReviewSettings(sizes.stretches, sizes.stretch_s)
    with locked(out):
        loaded = [load_model(folder, precision="float32") for folder in models]
        prepare(out, recordings, loaded, settings, labelled=sounds.labelled)
        review = Review(out)
        with closing(Answers(out / ANSWERS_FILE, review.questions)) as answers:
            for stretch in review.stretches:
                events = sounds.events[stretch["path"]]
                truth = tags_of(events, stretch["start_s"], stretch["stop_s"])
                for label in stretch["classes"]:
                    answers.add(stretch["number"], [label], YES if label in truth else NO)
            labelled = clips.labelled_clips(sounds.labelled)
            rows = clips.clip_rows(review.stretches, answers.given, labelled)
        clips.write_clips(out / clips.FILE, rows)
    return out


def drawn(out, sounds, sizes, seed):
    """Draw stretches at random that do not overlap, with their true tags; the new data root."""
    n_each = int(sizes.long_s // sizes.stretch_s)
    places = [(path, n * sizes.stretch_s) for path in sounds.pool for n in range(n_each)]
    chosen = generator(seed, "random").permutation(len(places))[: sizes.stretches]
    rows = clips.labelled_clips(sounds.labelled)
    for number, index in enumerate(chosen):
        path, start_s = places[index]
        samples, rate = read_stretch(path, start_s, start_s + sizes.stretch_s)
        write_wav(out / f"clips/{number:04d}.wav", samples[:, 0], rate, "FLOAT")
        tags = tags_of(sounds.events[str(path)], start_s, start_s + sizes.stretch_s)
        clip = {"path": f"clips/{number:04d}.wav", "tags": ";".join(sorted(tags))}
        rows.append(clip | {"group": str(path)})
    clips.write_clips(out / clips.FILE, rows)
    return out


def run_rounds(out, seeds, sizes):
    """Run the round for each seed.

    Returns
    -------
    table : pd.DataFrame
        Columns seed, round (of `ROUNDS`), f1, map, tags (number of tags in the added stretches).
    """
    config = demo_config(sizes)
    classes, resampler = config["corpus"]["classes"], config["mixing"]["resampler"]
    corpus = render_corpus(
        out / "corpus",
        classes=classes,
        part="demo",
        groups_per_class=sizes.groups,
        takes_per_group=2,
        places_per_scene=sizes.groups,
        takes_per_place=1,
        scene_duration_s=10.0,
        seed=config["seed"],
    )
    corpus["stop_s"] = [soundfile.info(path).duration for path in corpus["path"]]
    corpus["fold"] = deal_folds(corpus, SPLIT, config["seed"])
    rows = []
    for seed in seeds:
        folder = (out / f"seed{seed}").absolute()
        sounds = Sounds(folder, corpus, sizes, resampler, seed)
        before = train(config, sounds.labelled.parent, folder / "before", seed)
        roots = {
            "review": reviewed(folder / "review", sounds, before, sizes),
            "random": drawn(folder / "random", sounds, sizes, seed),
        }
        models = {"before": before} | {
            name: train(config, root, folder / f"after_{name}", seed)
            for name, root in roots.items()
        }
        for name in ROUNDS:
            f1, mean_precision = score(models[name], sounds, classes)
            added = pd.read_csv(roots[name] / clips.FILE) if name in roots else None
            added = [] if added is None else added["tags"].fillna("")[sizes.clips :]
            n_tags = sum(len(tags.split(";")) for tags in added if tags)
            rows.append((seed, name, float(f1), float(mean_precision), n_tags))
            print(f"seed {seed}, {name}: frame F1 {f1:.3f}, mAP {mean_precision:.3f}", flush=True)
    return pd.DataFrame(rows, columns=["seed", "round", "f1", "map", "tags"])


def as_markdown(table):
    """Lines of a table: a row for each seed and the mean, columns by round and metric."""
    wide = table.pivot_table(index="seed", columns="round", values=["f1", "map"])
    columns = [(metric, name) for metric in ("f1", "map") for name in ROUNDS]
    names = {"f1": "F1", "map": "mAP"}
    lines = [
        f"| seed | {' | '.join(f'{names[metric]} {name}' for metric, name in columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for seed, row in [*wide.iterrows(), ("mean", wide.mean())]:
        lines.append(f"| {seed} | {' | '.join(f'{row[column]:.3f}' for column in columns)} |")
    return lines


def main(arguments=None):
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many rounds")
    parser.add_argument("--iterations", type=int, default=Sizes.iterations, help="of a training")
    parser.add_argument("--out", default="results/label_round", help="folder for the files")
    options = parser.parse_args(arguments)
    out = Path(options.out)
    if out.exists():
        parser.error(f"{out}: expected nothing there, found a folder. Name another (--out)")
    table = run_rounds(out, range(options.seeds), Sizes(iterations=options.iterations))
    write_csv(out / "rounds.csv", table)
    print("\n".join(as_markdown(table)))


if __name__ == "__main__":
    main()
