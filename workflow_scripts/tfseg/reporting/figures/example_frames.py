"""Frame scores of every system and the true activity, arranged as TASLP Fig. 8."""

from matplotlib.figure import Figure

from tfseg.reporting.examples import read_example
from tfseg.reporting.figures.drawing import readable, sounding_classes
from tfseg.reporting.plot_style import class_look

DECLARATION = {
    "order": 3,
    "section": "figures",
    "label": "its frame scores (TASLP Fig. 8)",
    "needs": ["example"],
    "caption": (
        "Frame scores (mask averaged over mel bands, TASLP eq. 2) of each system and the "
        "true activity, arranged as TASLP Fig. 8."
    ),
}


def draw(inputs, params):
    """Draw the figure of a run."""
    return draw_frames(read_example(inputs.example))


def draw_frames(example):
    """Draw frame scores of every system and the true activity (TASLP Fig. 8)."""
    systems = list(example.frames)
    sounding = sounding_classes(example)
    others = [k for k in range(len(example.classes)) if k not in sounding]
    n_panels = len(systems) + (example.strong is not None)
    figure = Figure(figsize=(7.2, 1.5 * n_panels + 0.7), layout="constrained")
    axes = figure.subplots(n_panels, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    times = example.frame_times_s[:-1]
    for axis, system in zip(axes, systems, strict=False):
        scores = example.frames[system]
        for k in others:
            axis.plot(times, scores[k], color="0.75", linewidth=0.8)
        for index, k in enumerate(sounding):
            axis.plot(times, scores[k], **class_look(index))
        kind = ": mask averaged over mel bands" if system in example.masks else ""
        axis.set_title(f"{system}{kind}")
        axis.set_ylabel("score")
        axis.grid(axis="y", color="0.92")
    for index, k in enumerate(sounding):
        look = class_look(index)
        name = readable(example.classes[k])
        if example.strong is None:
            axes[-1].plot([], [], label=name, **look)
        else:
            axes[-1].step(times, example.strong[:, k], where="post", label=name, **look)
    axes[-1].plot([], [], color="0.75", label="absent classes")
    if example.strong is not None:
        axes[-1].set_title("True activity")
        axes[-1].set_ylabel("active")
    axes[-1].set_ylim(-0.03, 1.05)
    axes[-1].set_xlim(0, example.frame_times_s[-1])
    axes[-1].set_xlabel("time / s")
    figure.legend(loc="outside lower center", ncols=len(sounding) + 1, frameon=False)
    figure.suptitle(f"Frame scores, {example.title}", fontsize=10)
    return figure
