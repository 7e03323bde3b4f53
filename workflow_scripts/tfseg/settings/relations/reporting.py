"""Relations of the sections ``comparison``, ``tables`` and ``figures``."""

from tfseg.datasets.corpora import find_corpora


def comparison_relations(config):
    """Check that the reference system is one of the systems."""
    reference = config["comparison"]["reference"]
    if reference is not None and reference not in config["systems"]:
        yield (
            f"config key comparison.reference: expected one of systems "
            f"({', '.join(config['systems'])}), found {reference!r}"
        )


def reporting_relations(config):
    """Check that tables and figures use an SNR of the experiment; ready clips have none."""
    if find_corpora()[config["corpus"]["kind"]].is_clips:
        return
    snr_db = config["mixing"]["snr_db"]
    for key, value in (
        ("tables.by_class_snr_db", config["tables"]["by_class_snr_db"]),
        ("figures.snr_db", config["figures"]["snr_db"]),
    ):
        if value not in snr_db:
            yield f"config key {key}: expected one of mixing.snr_db {snr_db}, found {value}"
