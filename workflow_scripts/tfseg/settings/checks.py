"""Checks of an experiment's config before anything runs."""

from tfseg.errors import ConfigError
from tfseg.settings.given_values import changed_on_command_line, cut_paths
from tfseg.settings.keys_twice import keys_twice
from tfseg.settings.relations.corpus import corpus_relations
from tfseg.settings.relations.features import feature_relations
from tfseg.settings.relations.mixing import mixing_relations
from tfseg.settings.relations.postprocessing import postprocessing_relations
from tfseg.settings.relations.reporting import comparison_relations, reporting_relations
from tfseg.settings.relations.split import split_relations
from tfseg.settings.relations.start_from import start_relations
from tfseg.settings.relations.training import training_relations
from tfseg.settings.relations.variants import variant_relations
from tfseg.settings.schema_errors import schema_errors, unfit_values

_RELATIONS = (
    comparison_relations,
    feature_relations,
    mixing_relations,
    corpus_relations,
    postprocessing_relations,
    reporting_relations,
    split_relations,
    training_relations,
    start_relations,
)


def check_config(config):
    """Check a merged configuration.

    Parameters
    ----------
    config : dict

    Raises
    ------
    ConfigError
        One message with a line per problem: the key, what was expected, what was found.
    """
    messages = schema_errors(config) + unfit_values(config)
    # Each check relies on the checks before it.
    if not messages:
        messages = list(variant_relations(config))
    if not messages:
        messages = [message for check in _RELATIONS for message in check(config)]
    if messages:
        raise ConfigError("\n".join(messages))


def check_config_files(paths):
    """Check that YAML drops nothing silently: a key given twice, or the part of a path after ``#``.

    Parameters
    ----------
    paths : sequence of path-like

    Raises
    ------
    ConfigError
        With a line per key.
    """
    if messages := keys_twice(paths) + cut_paths(paths):
        raise ConfigError("\n".join(messages))


def check_command_line(command_line, config):
    """Check that YAML changed no text that the command line gives.

    Parameters
    ----------
    command_line : sequence of str
    config : dict
        What came of it.

    Raises
    ------
    ConfigError
        With a line per key.
    """
    if messages := changed_on_command_line(command_line, config):
        raise ConfigError("\n".join(messages))
