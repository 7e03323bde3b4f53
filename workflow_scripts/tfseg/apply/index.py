"""The page over all recordings of a folder. Draws nothing, so that it needs no plotting library."""

from tfseg.io.files import write_text
from tfseg.reporting.pages.render import render

PAGE = "page.html"  # of each recording, in its folder


def write_index(folder, recordings, summary, model, notes=()):
    """Write ``index.html``: every recording with its counts, and what could not be analysed.

    Parameters
    ----------
    folder : Path
    recordings, summary : pd.DataFrame
        As `tfseg.apply.summary` makes them.
    model : tfseg.inference.model_folder.ModelFolder
    notes : sequence of str
        Lines on what was left out.
    """
    counts = {(row.recording, row.label): row for row in summary.itertuples(index=False)}
    found = [
        label
        for label in model.classes
        if any(label == key[1] and counts[key].events for key in counts)
    ]
    html = render(
        "recordings.html",
        model=model,
        recordings=recordings.astype(object).where(recordings.notna(), "").to_dict("records"),
        labels=found,
        counts=counts,
        page=PAGE,
        notes=notes,
        pages={r for r in recordings["recording"] if (folder / r / PAGE).is_file()},
    )
    write_text(folder / "index.html", html)
