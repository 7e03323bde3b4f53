"""Describe a trained model: classes, system, sample rate, thresholds, training, licences.

The folder is loaded as `tfseg apply` loads it. A model that is described here can be applied.
"""

import argparse
from dataclasses import asdict

from tfseg.errors import TfsegError
from tfseg.inference.events import of_class
from tfseg.inference.model_folder import load_model_folder


def _parser():
    parser = argparse.ArgumentParser(
        prog="tfseg info",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 done; 2 there is no such model, or it is damaged.",
    )
    parser.add_argument(
        "model",
        metavar="DIR",
        help="folder of a trained model",
    )
    return parser


def _text(value):
    """One line of a value: control characters of somebody else's model change no terminal."""
    if isinstance(value, dict):
        return ", ".join(f"{_text(key)} {_text(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    return "".join(c if c.isprintable() else "?" for c in str(value))


def _section(title, facts):
    """Lines of a heading and its facts, values below one another."""
    width = max(map(len, facts)) + 2
    return [
        "",
        title,
        *(f"  {_text(name):<{width}}{_text(value)}" for name, value in facts.items()),
    ]


def _thresholds(model):
    """Lines of what is common to all classes, and of what each class has for itself."""
    values = asdict(model.detection)
    values |= values.pop("postprocessing")
    own = [key for key, value in values.items() if isinstance(value, tuple)]
    lines = _section("thresholds", {k: value for k, value in values.items() if k not in own})
    for key in own:
        by_class = {label: of_class(values[key], k) for k, label in enumerate(model.classes)}
        lines += _section(f"{key} by class", by_class)
    return lines


def describe_model(model):
    """Describe a model folder for people.

    Parameters
    ----------
    model : tfseg.inference.model_folder.ModelFolder

    Returns
    -------
    text : str
        Lines; the first one names the folder.
    """
    facts, features = model.description, model.settings
    lines = [_text(str(model.folder))]
    lines += _section(
        "model",
        {
            "system": model.system,
            "network": facts["network"],
            "masks": model.network.has_masks,
            "parameters": sum(values.numel() for values in model.network.parameters()),
            f"classes ({len(model.classes)})": model.classes,
        },
    )
    lines += _section(
        "input",
        {
            "sample rate": f"{features.sample_rate} Hz, other rates are resampled ({model.resampler})",
            "frames": f"{features.window_length} samples, every {features.hop_length}",
            "mel bands": f"{features.n_mels}, {features.fmin_hz:g} to {features.fmax_hz:g} Hz",
            "window": f"{model.duration_s:g} s, as a training clip",
        },
    )
    lines += _thresholds(model)
    lines += _section(
        "training",
        {
            "data": facts["data"],
            "snr_db": facts.get("snr_db"),
            "held-out fold": facts.get("held_out_fold"),
            "repeat": facts.get("repeat"),
            "precision": facts.get("trained_in"),
            "settings": facts.get("training"),
            "versions": facts["versions"],
        },
    )
    licences = {name: f"{count} recordings" for name, count in facts["licences"].items()}
    lines += _section("licences of the recordings", licences or {"none": "stated"})
    if facts["restricted"]:
        lines += ["", f"Restricted, by their words: {_text(facts['restricted'])}."]
        lines += [
            "Read these terms before you publish, share or sell anything made with this model."
        ]
    return "\n".join(lines)


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        model = load_model_folder(options.model)
        text = describe_model(model)
    except TfsegError as error:
        parser.error(str(error))
    print(text)
    return 0
