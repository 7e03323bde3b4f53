# Corpus tables -> plan (without SNR) -> stems (with the gains of each SNR).


if IS_CLIPS:

    rule plan_clips:
        input:
            clips=CORPUS["clips"],
            strong=SOURCE.clip_events,
        output:
            mixtures=PATHS.mixtures,
            events=PATHS.mixture_events,
        log:
            f"{RESULTS}/logs/plan_clips/plan.log",
        benchmark:
            f"{RESULTS}/benchmarks/plan_clips/plan.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=10,
        params:
            code=code("plan_clips"),
            data_root=DATA_ROOT,
            classes=CLASSES,
            other_labels=config["corpus"]["other_labels"],
        message:
            "Planning the clips"
        script:
            "../workflow_scripts/plan_clips.py"

else:

    rule plan_mixtures:
        input:
            events=CORPUS["events"],
            scenes=CORPUS["scenes"],
        output:
            mixtures=PATHS.mixtures,
            events=PATHS.mixture_events,
        log:
            f"{RESULTS}/logs/plan_mixtures/plan.log",
        benchmark:
            f"{RESULTS}/benchmarks/plan_mixtures/plan.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=10,
        params:
            code=code("plan_mixtures"),
            folds=FOLDS,
            mixing=section(
                "mixing",
                "duration_s",
                "onsets_s",
                "events_per_mixture",
                "overlap",
                "max_event_s",
                "kinds",
                "scene_start",
            ),
            mixtures_per_fold=EXPERIMENT.mixtures_per_fold,
            validation=config["split"]["validation"],
            seed=config["seed"],
        message:
            "Planning the mixtures"
        script:
            "../workflow_scripts/plan_mixtures.py"

    rule render_stems:
        input:
            mixtures=PATHS.mixtures,
            mixture_events=PATHS.mixture_events,
            corpus_events=CORPUS["events"],
            inspection=PATHS.inspection,
            licences=PATHS.licences,
            audio=EMBEDDED_AUDIO,
        output:
            stems=PATHS.stems,
        log:
            f"{RESULTS}/logs/render_stems/fold{{fold}}-{{shard}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/render_stems/fold{{fold}}-{{shard}}.tsv"
        conda:
            "../envs/environment.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=60,
        params:
            code=code("render_stems"),
            classes=CLASSES,
            sample_rate=config["features"]["sample_rate"],
            shard_size=config["mixing"]["shard_size"],
            mixing=section("mixing", "max_event_s", "snr_db", "snr_on", "resampler"),
        message:
            "Rendering stems: fold {wildcards.fold}, shard {wildcards.shard}"
        script:
            "../workflow_scripts/render_stems.py"
