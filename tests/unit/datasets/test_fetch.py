"""Downloads against a local server that behaves like the real host, faults included."""

import hashlib
import http.server
import re
import threading
from collections import namedtuple

import pytest

from tfseg.datasets import fetch as fetching
from tfseg.datasets.fetch import Archive, fetch
from tfseg.errors import DataError

CONTENT = bytes(hashlib.sha256(b"%d" % (i // 32)).digest()[i % 32] for i in range(300_000))


class Host:
    """A file server whose next answers can be made to fail.

    Attributes
    ----------
    faults : list
        One per request, in order: a status, (status, headers), ("cut", n bytes) or None.
    """

    def __init__(self):
        self.content, self.ranges, self.faults, self.requests = CONTENT, True, [], []
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host.requests.append(self.headers.get("Range"))
                fault = host.faults.pop(0) if host.faults else None
                if isinstance(fault, int):
                    fault = (fault, {})
                if fault and isinstance(fault[0], int):
                    self.send_response(fault[0])
                    for name, value in fault[1].items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start, end = 0, len(host.content)
                asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                if asked and host.ranges:
                    start = int(asked[1])
                    if start >= end:
                        self.send_response(416)
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                        return
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(end - start))
                self.end_headers()
                stop = start + fault[1] if fault and fault[0] == "cut" else end
                self.wfile.write(host.content[start:stop])
                if stop < end:
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.close()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/files/sounds.zip"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def host():
    host = Host()
    yield host
    host.server.shutdown()
    host.server.server_close()


@pytest.fixture
def archive(host):
    md5 = hashlib.md5(CONTENT).hexdigest()
    return Archive("sounds.zip", (host.url,), len(CONTENT), md5)


@pytest.fixture
def get(tmp_path, archive):
    """Fetch into tmp_path without waiting; `waits` and `said` record pauses and messages."""

    def get(archive=archive, **options):
        get.waits, get.said = [], []
        return fetch(archive, tmp_path, sleep=get.waits.append, log=get.said.append, **options)

    return get


def test_clean_fetch(get, tmp_path):
    assert get().read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["sounds.zip"]
    assert get.waits == []


def test_a_verified_file_is_not_fetched_again(get, host):
    get()
    host.requests.clear()
    assert get().read_bytes() == CONTENT
    assert host.requests == []


@pytest.mark.parametrize("cuts", [[1], [100_000], [299_999], [1, 100_000, 150_000]])
def test_resumes_where_the_connection_was_cut(get, host, cuts):
    host.faults = [("cut", n) for n in cuts]
    assert get().read_bytes() == CONTENT
    positions = [sum(cuts[: i + 1]) for i in range(len(cuts))]
    assert host.requests == [None, *(f"bytes={position}-" for position in positions)]


def test_resumes_after_the_process_was_killed(get, host, tmp_path):
    (tmp_path / "sounds.zip.part").write_bytes(CONTENT[:123_456])
    assert get().read_bytes() == CONTENT
    assert host.requests == ["bytes=123456-"]


def test_a_whole_part_is_only_verified(get, host, tmp_path):
    (tmp_path / "sounds.zip.part").write_bytes(CONTENT)
    assert get().read_bytes() == CONTENT
    assert host.requests == []


def test_a_server_without_ranges_starts_over(get, host, tmp_path):
    host.ranges = False
    (tmp_path / "sounds.zip.part").write_bytes(CONTENT[:1000])
    assert get().read_bytes() == CONTENT


def test_a_part_of_another_file_is_started_over(get, tmp_path):
    (tmp_path / "sounds.zip.part").write_bytes(b"x" * 1000)
    assert get().read_bytes() == CONTENT
    assert "again from the start" in get.said[0]


def test_a_part_that_is_too_long_is_started_over(get, tmp_path):
    (tmp_path / "sounds.zip.part").write_bytes(b"x" * (len(CONTENT) + 1))
    assert get().read_bytes() == CONTENT


def test_a_range_the_server_does_not_have_is_started_over(get, tmp_path, archive):
    (tmp_path / "sounds.zip.part").write_bytes(b"x" * len(CONTENT))
    unsized = Archive(archive.name, archive.urls, None, archive.md5)
    assert get(unsized).read_bytes() == CONTENT


def test_429_waits_as_long_as_it_is_told(get, host):
    host.faults = [(429, {"Retry-After": "7"})]
    assert get().read_bytes() == CONTENT
    assert get.waits == [7]


def test_a_date_to_retry_after_is_understood(get, host):
    host.faults = [(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})]
    assert get().read_bytes() == CONTENT
    assert get.waits == [0]


def test_503_twice_then_success_backs_off(get, host):
    host.faults = [503, 503]
    assert get(first_wait_s=1).read_bytes() == CONTENT
    assert get.waits == [1, 2]


def test_a_server_that_stays_down_is_one_clear_error(get, host, tmp_path):
    host.faults = [503] * 10
    with pytest.raises(DataError) as caught:
        get(retries=4)
    for words in ("sounds.zip could not be downloaded", host.url, "HTTP 503", "yourself"):
        assert words in str(caught.value)
    assert len(host.requests) == 4
    assert not (tmp_path / "sounds.zip").exists()


def test_progress_earns_new_attempts(get, host):
    host.faults = [("cut", 1000)] * 6
    assert get(retries=2).read_bytes() == CONTENT


def test_a_missing_file_is_not_tried_again(get, host):
    host.faults = [404]
    with pytest.raises(DataError, match=r"sounds\.zip: http.* answered HTTP 404"):
        get()
    assert len(host.requests) == 1


def test_a_wrong_checksum_is_refused(get, host, tmp_path):
    host.content = CONTENT[:-1] + b"?"
    with pytest.raises(DataError, match=r"expected md5 [0-9a-f]{32}, found [0-9a-f]{32}"):
        get()
    assert list(tmp_path.iterdir()) == []
    assert len(host.requests) == 2  # it is downloaded once more before the error


def test_a_wrong_size_is_refused_before_it_is_downloaded(get, host, tmp_path):
    host.content = CONTENT + b"more"
    with pytest.raises(DataError, match=f"expected {len(CONTENT)} bytes, .* has 300004"):
        get()
    assert not (tmp_path / "sounds.zip").exists()


def test_an_existing_wrong_file_is_named_and_left_alone(get, host, tmp_path):
    (tmp_path / "sounds.zip").write_bytes(b"somebody's own")
    with pytest.raises(DataError, match=r"sounds\.zip: expected 300000 bytes, found 14"):
        get()
    assert (tmp_path / "sounds.zip").read_bytes() == b"somebody's own"
    assert host.requests == []


def test_a_mirror_takes_over(get, host, archive):
    dead = "http://127.0.0.1:9/sounds.zip"
    mirrored = Archive(archive.name, (dead, host.url), archive.n_bytes, archive.md5)
    assert get(mirrored, retries=2).read_bytes() == CONTENT


def test_a_full_disk_is_noticed_before_the_download(get, host, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage(10**6, 10**6, 299_999))
    with pytest.raises(DataError, match=r"GB of free disk .* data_root"):
        get()
    assert list(tmp_path.iterdir()) == []
