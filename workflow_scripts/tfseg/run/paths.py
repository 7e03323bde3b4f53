"""Path patterns of all files of a run.

Names in braces are wildcards: ``snr``, ``system``, ``fold``, ``repeat``, ``shard``, ``table``,
``figure``, ``ending``.

A repeat is one of the config's ``repeats`` independent trainings, counted from 0: the wildcard
``repeat``. Its folders and files are named ``seed{repeat}``, and the column ``seed`` of
``metrics.csv`` (with it, the keyword ``seed`` of rows) holds the same number. The config's ``seed``
is another one: the base that the seed of every training is derived from, with the repeat in it.
"""

from dataclasses import dataclass

from tfseg.snr import snr_to_path

# Path of one training, or of its results, within the folder of a stage.
_TRAINING = "snr{snr}/{system}/fold{fold}/seed{repeat}"


@dataclass(frozen=True)
class Paths:
    """Paths of a run, from `paths_of_run`.

    Attributes
    ----------
    results : str
        The folder that contains all others.
    recordings, inspection, corpus_report, licences : str
        Facts about the recordings.
    corpus_table, corpus_audio : str
        Tables of the corpus, by `table`, and the recordings of the embedded corpus.
    mixtures, mixture_events : str
        The plan.
    stems, features : str
        Files of a shard of a fold.
    model_dir, model, description, history, detection, tuning, model_card : str
        Files of a training.
    state : str
        State to resume a training from. Not an output: Snakemake deletes those of a failed job.
    tensorboard : str
        Folder of a training's curves; no output either.
    scores, mask_counts, events, tuned_events : str
        Files of a held-out fold.
    scorings : str
        Log of all scorings of held-out folds; not an output of any job.
    system_metrics : str
        Metrics of a system at one SNR, all folds.
    separation_scores, separated : str
        Files of all systems with masks, in a held-out fold.
    separation_metrics, metrics, intervals, comparisons : str
        Tables of the run.
    table, figure : str
        By name and `ending`.
    example, listening : str
        Data of the example figures and of the listening page.
    report, report_files : str
        The page, and the folder (which always exists) of sounds that would make it too large.
    soundscapes, applied : str
        Folders of long recordings, and of a model's results on recordings.
    """

    results: str
    recordings: str
    inspection: str
    corpus_report: str
    label_report: str
    licences: str
    corpus_table: str
    corpus_audio: str
    mixtures: str
    mixture_events: str
    stems: str
    features: str
    model_dir: str
    model: str
    description: str
    history: str
    detection: str
    tuning: str
    model_card: str
    state: str
    tensorboard: str
    scores: str
    mask_counts: str
    events: str
    tuned_events: str
    scorings: str
    system_metrics: str
    separation_scores: str
    separated: str
    separation_metrics: str
    metrics: str
    intervals: str
    comparisons: str
    table: str
    figure: str
    example: str
    listening: str
    report: str
    report_files: str
    soundscapes: str
    applied: str


def paths_of_run(run, *, example_snr, example_fold):
    """Build the paths of a run.

    Parameters
    ----------
    run : str
        Its name.
    example_snr : float or None
        SNR of the example mixture; None for clips that were not mixed here.
    example_fold : int
        Fold of the example mixture.

    Returns
    -------
    paths : Paths
    """
    results = f"results/{run}"
    model_dir = f"{results}/models/{_TRAINING}"
    scores_dir = f"{results}/scores/{_TRAINING}"
    example = f"snr{snr_to_path(example_snr)}-fold{example_fold}"
    return Paths(
        results=results,
        recordings=f"{results}/corpus/recordings.csv",
        inspection=f"{results}/corpus/inspection.csv",
        corpus_report=f"{results}/corpus/corpus_report.csv",
        label_report=f"{results}/corpus/label_report.csv",
        licences=f"{results}/corpus/licences.json",
        corpus_table=f"{results}/corpus/{{table}}.csv",
        corpus_audio=f"{results}/corpus/audio",
        mixtures=f"{results}/mixtures/mixtures.csv",
        mixture_events=f"{results}/mixtures/events.csv",
        stems=f"{results}/mixtures/stems/fold{{fold}}-{{shard}}.h5",
        features=f"{results}/features/snr{{snr}}/fold{{fold}}-{{shard}}.h5",
        model_dir=model_dir,
        model=f"{model_dir}/model.safetensors",
        description=f"{model_dir}/model.json",
        history=f"{model_dir}/history.csv",
        detection=f"{model_dir}/detection.json",
        tuning=f"{model_dir}/tuning.csv",
        model_card=f"{model_dir}/model_card.md",
        state=f"{results}/training_state/{_TRAINING}.safetensors",
        tensorboard=f"{results}/tensorboard/{_TRAINING}",
        scores=f"{scores_dir}/scores.h5",
        mask_counts=f"{scores_dir}/mask_counts.h5",
        events=f"{results}/events/{_TRAINING}.tsv",
        tuned_events=f"{results}/events_tuned/{_TRAINING}.tsv",
        scorings=f"{results}/logs/scorings.jsonl",
        system_metrics=f"{results}/metrics/snr{{snr}}/{{system}}/seed{{repeat}}.csv",
        separation_scores=f"{results}/separation/snr{{snr}}/fold{{fold}}/seed{{repeat}}.csv",
        separated=f"{results}/separated/snr{{snr}}/fold{{fold}}/seed{{repeat}}",
        separation_metrics=f"{results}/metrics/separation.csv",
        metrics=f"{results}/metrics.csv",
        intervals=f"{results}/intervals.csv",
        comparisons=f"{results}/comparisons.csv",
        table=f"{results}/tables/{{table}}.{{ending}}",
        figure=f"{results}/figures/{{figure}}.{{ending}}",
        example=f"{results}/examples/{example}.h5",
        listening=f"{results}/examples/listening-{example}.h5",
        report=f"{results}/report.html",
        report_files=f"{results}/report_files",
        soundscapes=f"{results}/soundscapes",
        applied=f"{results}/applied",
    )
