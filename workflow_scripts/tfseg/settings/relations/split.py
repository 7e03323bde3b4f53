"""Relations of the section ``split``, and of numbers per fold."""

from tfseg.datasets.corpora import find_corpora


def split_relations(config):
    """Check how recordings are assigned to folds, and the numbers of each fold."""
    kind, split = config["corpus"]["kind"], config["split"]
    fixed = split["kind"] == "fixed"
    corpus = find_corpora()[kind]
    has_own = corpus.has_own_split(split["kind"])
    if (fixed or split["by"] == "corpus") and not has_own:
        key = "split.kind" if fixed else "split.by"
        yield (
            f"config key {key}: expected a split that the corpus {kind} supports, "
            f"found {split['kind'] if fixed else split['by']!r}: it has no such folds of its own"
        )
    n_folds = 2 if fixed else split["folds"]
    counts = config["mixing"]["mixtures_per_fold"]
    if isinstance(counts, list) and len(counts) != n_folds:
        yield (
            f"config key mixing.mixtures_per_fold: expected one number, or {n_folds} (one for each "
            f"fold), found {len(counts)}"
        )
    fewest = min(counts) if isinstance(counts, list) else counts
    if split["validation"] and not corpus.is_clips and fewest < 2:
        yield (
            "config key mixing.mixtures_per_fold: expected at least 2 with split.validation (for "
            f"training and for tuning), found {fewest}"
        )
    n_held_out = 1 if fixed else n_folds
    if config["figures"]["fold"] > n_held_out:
        yield (
            f"config key figures.fold: expected a fold that is held out, at most {n_held_out}, "
            f"found {config['figures']['fold']}"
        )
