"""Inputs and parameters of a figure, for each word of its ``needs``.

`tfseg.reporting.figures.registry.NEEDS` lists the words. A figure gets only what it needs, so that
other changes do not redraw it.
"""

from dataclasses import dataclass

from tfseg.run.inputs import Inputs


@dataclass(frozen=True)
class FigureInputs:
    """Input functions of the rule that draws figures, from the figures' declarations.

    Parameters
    ----------
    inputs : Inputs
    figures : dict of str to tfseg.reporting.figures.registry.Declaration
    """

    inputs: Inputs
    figures: dict

    def files(self, wildcards):
        """Input files of a figure, by name."""
        return input_files(self.inputs, self.figures[wildcards.figure].needs)

    def parameters(self, wildcards):
        """Parameters of a figure, in addition to its files."""
        return parameters(self.inputs, self.figures[wildcards.figure].needs)

    def caption(self, wildcards):
        """Caption of a figure in this experiment."""
        return self.figures[wildcards.figure].caption_of(self.inputs.experiment.config)

    def labels(self, wildcards):
        """Labels of a figure in Snakemake's own report."""
        return {"figure": self.figures[wildcards.figure].label}

    def for_report(self):
        """Name, section, caption and image of every figure, in the order of the report."""
        config, pattern = self.inputs.experiment.config, self.inputs.paths.figure
        return [
            {
                "name": one.name,
                "section": one.section,
                "caption": one.caption_of(config),
                "png": pattern.format(figure=one.name, ending="png"),
            }
            for one in self.figures.values()
        ]


def _curve_trainings(inputs):
    """Trainings for curves over the threshold: one of each system and fold."""
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
        Named as in the table in ``docs/how-to/add_a_figure.md``.
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
    """Find the parameters of a figure, in addition to its files.

    Parameters
    ----------
    inputs : tfseg.run.inputs.Inputs
    needs : sequence of str

    Returns
    -------
    parameters : dict
        Named as in the table in ``docs/how-to/add_a_figure.md``.
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
