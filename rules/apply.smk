# Recordings of any length and a trained model -> events, sounds and a page of each
# (`snakemake apply`). Also long recordings made from a corpus, to try it.

SOUNDSCAPES = [f"{PATHS.soundscapes}/{name}" for name in EXPERIMENT.soundscapes]
GIVEN = GivenRecordings(config, PATHS.applied, SOUNDSCAPES)
APPLIED_FOLDER = f"{PATHS.applied}/{{recording}}"
APPLIED_STATUS = f"{PATHS.applied}/.status/{{recording}}.json"
APPLIED_MODEL = (
    [
        str(Path(config["model"], name))
        for name in ("model.safetensors", "model.json", "detection.json")
    ]
    if config["model"]
    else []
)

if config["soundscapes"]:

    rule render_soundscapes:
        input:
            events=CORPUS["events"],
            scenes=CORPUS["scenes"],
            audio=EMBEDDED_AUDIO,
        output:
            recordings=SOUNDSCAPES,
            labels=f"{PATHS.soundscapes}/events.tsv",
        log:
            f"{RESULTS}/logs/render_soundscapes/soundscapes.log",
        benchmark:
            f"{RESULTS}/benchmarks/render_soundscapes/soundscapes.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(4000),
            runtime=60,
        params:
            code=code("render_soundscapes"),
            soundscapes=[sorted_keys(entry) for entry in config["soundscapes"]],
            fold=config["figures"]["fold"],
            max_event_s=config["mixing"]["max_event_s"],
            resampler=config["mixing"]["resampler"],
            seed=config["seed"],
        message:
            "Making long recordings of fold {params.fold}"
        script:
            "../workflow_scripts/render_soundscapes.py"


rule apply_model:
    input:
        recording=plainly(GIVEN.as_input),
        model=APPLIED_MODEL,
        reference=[config["reference"]] if config["reference"] else [],
    output:
        folder=directory(APPLIED_FOLDER),
        status=APPLIED_STATUS,
    log:
        f"{RESULTS}/logs/apply_model/{{recording}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/apply_model/{{recording}}.tsv"
    wildcard_constraints:
        # Not the summary files, which are beside the recordings' folders.
        recording=r"(?!\.status|recordings\.csv$|summary\.csv$|events\.parquet$|index\.html$)[^/]+",
    conda:
        "../envs/environment.yaml"
    threads: config["apply"]["threads"]
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=240,
    params:
        code=code("apply_model"),
        templates=templates_code(),
        path=GIVEN.path,
        state=GIVEN.state,
        reference_names=plainly(GIVEN.reference_names),
        model=config["model"],
        apply=EXPERIMENT.apply_settings(),
        precision=config["precision"],
    message:
        "Applying the model to {wildcards.recording}"
    script:
        "../workflow_scripts/apply_model.py"


rule summarise_recordings:
    input:
        statuses=plainly(lambda wildcards: GIVEN.files(APPLIED_STATUS)),
        folders=plainly(lambda wildcards: GIVEN.files(APPLIED_FOLDER)),
        model=APPLIED_MODEL,
    output:
        **(
            {}
            if missing_for_parquet()
            else {"events": f"{PATHS.applied}/{EVENTS_TABLE}"}
        ),
        recordings=f"{PATHS.applied}/recordings.csv",
        summary=f"{PATHS.applied}/summary.csv",
        # One more output, with a package that the other ones do without.
        index=f"{PATHS.applied}/index.html",
    log:
        f"{RESULTS}/logs/summarise_recordings/recordings.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarise_recordings/recordings.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=30,
    params:
        code=code("summarise_recordings"),
        templates=templates_code(),
        model=config["model"],
        notes=plainly(GIVEN.notes),
    message:
        "Summarising the recordings"
    script:
        "../workflow_scripts/summarise_recordings.py"


# A separate rule, so that after a broken recording the tables are kept, and the run still fails.
rule check_recordings:
    input:
        recordings=f"{PATHS.applied}/recordings.csv",
    output:
        done=f"{PATHS.applied}/.status/all_done",
    log:
        f"{RESULTS}/logs/check_recordings/recordings.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_recordings/recordings.tsv"
    conda:
        "../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=5,
    params:
        code=code("check_recordings"),
    message:
        "Looking for recordings that could not be analysed"
    script:
        "../workflow_scripts/check_recordings.py"
