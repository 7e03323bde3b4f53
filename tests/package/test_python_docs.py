"""The program of docs/tutorials/python.md runs unchanged."""

import re

from environments import run


def test_the_program_of_the_docs_runs(repository, fresh, outside):
    text = (repository / "docs/tutorials/python.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    said = run(fresh.bin / "python", "-c", program, folder=outside).stdout
    assert said.startswith("mine ('Bark', 'Chime') 8000\n")
    assert re.search(r"^0\.00 to \d\.\d\d s: Bark \(0\.\d+\)$", said, re.MULTILINE)
    assert re.search(r"^-?\d+\.\d dB$", said, re.MULTILINE)
    assert "gap - the mean of all units" in said
    assert said.endswith("torch.Size([8, 2])\n")
