"""Relations of the section ``corpus``, and of what is made of its recordings."""

import unicodedata

from tfseg.datasets.corpora import find_corpora


def corpus_relations(config):
    """Check the names of classes, and that there is what long recordings are made of."""
    corpus = config["corpus"]
    if config["soundscapes"] and find_corpora()[corpus["kind"]].is_clips:
        yield (
            f"config key soundscapes: expected none with corpus.kind {corpus['kind']}, which has no "
            f"events and scenes to make long recordings of, found {len(config['soundscapes'])}; "
            "write soundscapes: [], or name a corpus of events and scenes as corpus.kind"
        )
    written = {}
    for index, label in enumerate(corpus["classes"]):
        first = written.setdefault(unicodedata.normalize("NFC", label), index)
        if first != index:
            yield (
                f"config key corpus.classes[{index}]: expected every name once, found {label!r} in "
                f"another normal form of Unicode than corpus.classes[{first}]"
            )
    for index, label in enumerate(corpus["classes"]):
        if label == "macro":
            yield (
                f"config key corpus.classes[{index}]: expected another name than 'macro', which "
                "stands for the mean over classes in metrics.csv"
            )
    if corpus["kind"] != "embedded":
        return
    from tfseg.datasets.instruments import INSTRUMENTS

    for index, label in enumerate(corpus["classes"]):
        if label not in INSTRUMENTS:
            yield (
                f"config key corpus.classes[{index}]: expected a class of the embedded corpus "
                f"({', '.join(INSTRUMENTS)}), found {label!r}"
            )
