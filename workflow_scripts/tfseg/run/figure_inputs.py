"""What a figure is drawn from: the inputs and parameters behind each word of ``needs``.

`tfseg.reporting.figures.registry.NEEDS` lists the words. A figure gets what it asks for and nothing
else, so that a change elsewhere does not draw it anew.
"""


def _curve_trainings(inputs):
    """Trainings whose scores are compared at every threshold: one of each system and fold."""
    experiment = inputs.experiment
    return experiment.trainings(snrs_db=[experiment.example_snr_db], repeats=experiment.repeats[:1])


def input_files(inputs, needs):
    """Find the input files of a figure.

    Parameters
    ----------
    inputs : tfseg.run.inputs.Inputs
    needs : sequence of str

    Returns
    -------
    files : dict of str to str or list of str
        Named as in the table in ``docs/add_a_figure.md``.
    """
    paths, files = inputs.paths, {}
    if "example" in needs:
        files["example"] = paths.example
    if "metrics" in needs:
        files["metrics"] = paths.metrics
    if "histories" in needs:
        files["histories"] = inputs.of_trainings("history")
    if "scores" in needs:
        trainings = _curve_trainings(inputs)
        files |= {
            "scores": [training.in_path(paths.scores) for training in trainings],
            "counts": [training.in_path(paths.mask_counts) for training in trainings],
            "mixtures": paths.mixtures,
            "mixture_events": paths.mixture_events,
        }
    return files


def parameters(inputs, needs):
    """Find what a figure is told beside its files.

    Parameters
    ----------
    inputs : tfseg.run.inputs.Inputs
    needs : sequence of str

    Returns
    -------
    parameters : dict
        Named as in the table in ``docs/add_a_figure.md``.
    """
    paths, experiment, found = inputs.paths, inputs.experiment, {}
    if set(needs) & {"metrics", "histories", "scores"}:
        found["systems"] = experiment.systems
    if "histories" in needs:
        found["trainings"] = [
            vars(training) | {"history": training.in_path(paths.history)}
            for training in experiment.trainings()
        ]
    if "scores" in needs:
        found["scored"] = [
            vars(training)
            | {
                "scores": training.in_path(paths.scores),
                "counts": training.in_path(paths.mask_counts),
            }
            for training in _curve_trainings(inputs)
        ]
        found["snr_db"] = experiment.example_snr_db
        found["grid"], found["metrics"] = experiment.grid(), experiment.metric_settings()
    return found
