# Recordings of any length and a trained model -> events, sounds and a page of each (`snakemake apply`),
# and the long recordings that a corpus can be made to give for trying it.

if config["soundscapes"]:

    rule render_soundscapes:
        input:
            events=CORPUS["events"],
            scenes=CORPUS["scenes"],
            audio=EMBEDDED_AUDIO,
        output:
            recordings=SOUNDSCAPES,
            labels=f"{RESULTS}/soundscapes/events.tsv",
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
        recording=recording_file,
        model=APPLIED_MODEL,
        reference=[config["reference"]] if config["reference"] else [],
    output:
        folder=directory(f"{APPLIED}/{{recording}}"),
        status=f"{APPLIED}/.status/{{recording}}.json",
    log:
        f"{RESULTS}/logs/apply_model/{{recording}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/apply_model/{{recording}}.tsv"
    wildcard_constraints:
        # Not what sums up the recordings, which lies beside their folders.
        recording=r"(?!\.status|recordings\.csv$|summary\.csv$|index\.html$)[^/]+",
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
        path=lambda wildcards: str(recordings_by_name()[wildcards.recording]),
        state=state_of_recording,
        model=config["model"],
        apply=section("apply", *(key for key in config["apply"] if key != "threads")),
        precision=config["precision"],
    message:
        "Applying the model to {wildcards.recording}"
    script:
        "../workflow_scripts/apply_model.py"


rule summarise_recordings:
    input:
        statuses=lambda wildcards: expand(
            f"{APPLIED}/.status/{{recording}}.json", recording=recordings_by_name()
        ),
        folders=lambda wildcards: expand(
            f"{APPLIED}/{{recording}}", recording=recordings_by_name()
        ),
        model=APPLIED_MODEL,
    output:
        recordings=f"{APPLIED}/recordings.csv",
        summary=f"{APPLIED}/summary.csv",
        index=f"{APPLIED}/index.html",
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
    message:
        "Summing up the recordings"
    script:
        "../workflow_scripts/summarise_recordings.py"


# Apart, so that the tables of a folder with a broken file are kept, and the run fails all the same.
rule check_recordings:
    input:
        recordings=f"{APPLIED}/recordings.csv",
    output:
        done=f"{APPLIED}/.status/all_done",
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
