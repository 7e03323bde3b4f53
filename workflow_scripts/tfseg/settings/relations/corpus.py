"""Relations of the section ``corpus``."""


def corpus_relations(config):
    """Check the names of classes."""
    corpus = config["corpus"]
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
