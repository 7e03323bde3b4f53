"""Labels of recordings in the formats of other programs: read by their content, and written."""

from tfseg.annotations.collect import read
from tfseg.annotations.recording import Event, Recording

__all__ = ["Event", "Recording", "read"]
