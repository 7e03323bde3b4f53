"""The registry of data sets, and what their record states."""

import hashlib
import http.server
import json
import re
import threading
from pathlib import Path

import pytest

from tfseg.datasets.registry import ask_record, check_content, git_sha1, load_registry
from tfseg.errors import DamagedFileError, DataError

REGISTRY = Path(__file__).parents[3] / "resources" / "datasets.yaml"
COMMIT = "33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
NAMES = ["FSDKaggle2018.audio_train.zip", "FSDKaggle2018.meta.zip"]


def entry(name, checksum="md5:" + "0" * 32):
    return {"key": name, "size": 12, "checksum": checksum}


@pytest.fixture
def host():
    """A record's API that answers with `host.answer`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = self.server.answer
            known = ("/api/records/2552860", f"/repos/karolpiczak/ESC-50/git/trees/{COMMIT}")
            self.send_response(200 if self.path.split("?")[0] in known else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.answer = json.dumps({"files": [entry(name) for name in NAMES]}).encode()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def fsdkaggle2018():
    return load_registry(REGISTRY)["fsdkaggle2018"]


def test_every_archive_has_its_facts_or_a_record_to_ask():
    for dataset in load_registry(REGISTRY).values():
        assert dataset.licence
        assert "doi:" in dataset.citation
        for facts in dataset.archives.values():
            assert facts is None or re.fullmatch("[0-9a-f]{32}", facts["md5"])


def test_tut_urban_is_as_large_as_its_record_says():
    archives = load_registry(REGISTRY)["tut_urban_2018"].archives
    assert len(archives) == 15
    total = sum(facts["bytes"] for facts in archives.values())
    assert round(total / 1e9, 2) == 21.35
    assert len({facts["md5"] for facts in archives.values()}) == 15


def test_tut_rare_is_as_large_as_its_record_says():
    archives = load_registry(REGISTRY)["tut_rare_2017"].archives
    assert len(archives) == 10
    assert round(sum(facts["bytes"] for facts in archives.values()) / 1e9, 2) == 8.32
    assert len({facts["md5"] for facts in archives.values()}) == 10


def test_an_archive_knows_where_it_lies(fsdkaggle2018):
    stated = {NAMES[0]: {"bytes": 5, "md5": "0" * 32}}
    archive = fsdkaggle2018.archive(
        NAMES[0], {"zenodo": "https://host"}, ["https://lab/data/"], stated
    )
    assert archive.urls[0].startswith(f"https://host/records/2552860/files/{NAMES[0]}")
    assert archive.urls[-1] == f"https://lab/data/{NAMES[0]}"
    assert (archive.n_bytes, archive.md5) == (5, "0" * 32)


def test_the_record_is_asked_and_its_answer_kept(host, fsdkaggle2018, tmp_path):
    path = tmp_path / "record.json"
    stated = ask_record(fsdkaggle2018, {"zenodo": host.url}, path)
    assert stated == {name: {"bytes": 12, "md5": "0" * 32} for name in NAMES}
    assert json.loads(path.read_text()) == stated
    assert ask_record(fsdkaggle2018, {"zenodo": host.url}, path) == stated


def test_a_record_that_changes_its_mind_is_refused(host, fsdkaggle2018, tmp_path):
    path = tmp_path / "record.json"
    ask_record(fsdkaggle2018, {"zenodo": host.url}, path)
    before = path.read_bytes()
    changed = [entry(name, "md5:" + "1" * 32) for name in NAMES]
    host.answer = json.dumps({"files": changed}).encode()
    with pytest.raises(DataError, match=r"record\.json: the record stated other checksums"):
        ask_record(fsdkaggle2018, {"zenodo": host.url}, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>busy</html>", "gave no list of files"),
        (b'{"status": 500}', "gave no list of files"),
        (b'{"files": []}', f"does not list {NAMES[0]}"),
        (
            json.dumps({"files": [{"key": n, "size": 1} for n in NAMES]}).encode(),
            f"states no md5 of {NAMES[0]}",
        ),
        (
            json.dumps({"files": [entry(n, "sha256:" + "0" * 64) for n in NAMES]}).encode(),
            f"states no md5 of {NAMES[0]}",
        ),
    ],
)
def test_a_useless_answer_is_one_clear_error(host, fsdkaggle2018, tmp_path, answer, says):
    host.answer = answer
    with pytest.raises(DataError) as caught:
        ask_record(fsdkaggle2018, {"zenodo": host.url}, tmp_path / "record.json")
    assert says in str(caught.value)
    assert "records/2552860" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_host_is_one_clear_error(fsdkaggle2018, tmp_path):
    with pytest.raises(DataError, match="gave no list of files"):
        ask_record(fsdkaggle2018, {"zenodo": "http://127.0.0.1:9"}, tmp_path / "record.json")


# GitHub: the content is compared with the pinned commit


@pytest.fixture
def esc50():
    return load_registry(REGISTRY)["esc50"]


def blob(path, content):
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    return {"path": path, "type": "blob", "sha": git, "size": len(content)}


FILES = {"audio/a.wav": b"RIFF", "meta/esc50.csv": b"filename\n", "README.md": b"hello"}


def test_git_names_a_known_content(tmp_path):
    # `printf hello | git hash-object --stdin`
    (tmp_path / "hello").write_bytes(b"hello")
    assert git_sha1(tmp_path / "hello") == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"


def test_github_is_asked_for_the_files_of_the_pinned_commit(host, esc50, tmp_path):
    tree = [blob(path, content) for path, content in FILES.items()]
    tree.append({"path": "audio", "type": "tree", "sha": "0" * 40})
    host.answer = json.dumps({"tree": tree, "truncated": False}).encode()
    hosts = {"github": "https://github", "github_api": host.url}
    stated = ask_record(esc50, hosts, tmp_path / "record.json")
    assert set(stated) == {"audio/a.wav", "meta/esc50.csv"}
    for path, content in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    check_content(tmp_path, stated)
    (tmp_path / "audio/a.wav").write_bytes(b"RIFX")
    with pytest.raises(DamagedFileError, match=r"audio/a\.wav: expected content with git's hash"):
        check_content(tmp_path, stated)
    (tmp_path / "audio/a.wav").unlink()
    with pytest.raises(DamagedFileError, match=r"audio/a\.wav: the commit has this file"):
        check_content(tmp_path, stated)


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "API rate limit exceeded"},
        {"tree": [], "truncated": False},
        {"tree": [blob("audio/a.wav", b"")], "truncated": True},
        {"tree": [{"path": "audio/a.wav", "type": "blob"}]},
    ],
)
def test_a_useless_answer_of_github_is_one_clear_error(host, esc50, tmp_path, answer):
    host.answer = json.dumps(answer).encode()
    hosts = {"github": "https://github", "github_api": host.url}
    with pytest.raises(DataError, match=r"esc50: .* list of files.*https://github/karolpiczak"):
        ask_record(esc50, hosts, tmp_path / "record.json")
    assert list(tmp_path.iterdir()) == []


def test_githubs_archive_has_no_checksum_of_its_own(esc50):
    hosts = {"github": "https://github"}
    archive = esc50.archive(f"ESC-50-{COMMIT}.zip", hosts)
    assert archive.urls == (f"https://github/karolpiczak/ESC-50/archive/{COMMIT}.zip",)
    assert (archive.n_bytes, archive.md5) == (None, None)
