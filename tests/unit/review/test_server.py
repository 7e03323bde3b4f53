"""The server answers its own page, and nobody else."""

import contextlib
import http.client
import json
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tfseg.errors import DataError
from tfseg.review.answers import Answers
from tfseg.review.folder import PAGE_FILES
from tfseg.review.server import make_server


@pytest.fixture
def answers(review, tmp_path):
    with contextlib.closing(Answers(tmp_path / "answers.csv", review.questions)) as opened:
        yield opened


@pytest.fixture
def served(review, answers):
    """A server: its host, and its token."""
    server, address = make_server(review, answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    parts = urlsplit(address)
    yield parts.netloc, parse_qs(parts.query)["token"][0]
    server.shutdown()
    thread.join()
    server.server_close()


class Client:
    """Sends what a page in a browser would, unless it is told otherwise."""

    def __init__(self, host, token):
        self.host = host
        port = host.rpartition(":")[2]
        self.headers = {
            "Host": host,
            "Origin": f"http://{host}",
            "Cookie": f"tfseg-review-{port}={token}",
            "Sec-Fetch-Site": "same-origin",
        }

    def __call__(self, method, path, content=None, **changed):
        headers = self.headers | {name.replace("_", "-"): v for name, v in changed.items()}
        connection = http.client.HTTPConnection(self.host, timeout=10)
        with contextlib.closing(connection):
            body = content if content is None or isinstance(content, bytes) else json.dumps(content)
            connection.putrequest(method, path, skip_host=True)
            if body is not None:
                body = body.encode() if isinstance(body, str) else body
                headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()


@pytest.fixture
def client(served):
    return Client(*served)


def question(review, index=0):
    stretch = review.stretches[index]
    return {"stretch": stretch["number"], "labels": stretch["classes"][:1], "answer": "yes"}


def test_the_address_gives_the_page_its_cookie(served):
    host, token = served
    client = Client(host, token)
    status, headers, _ = client("GET", f"/?token={token}", Cookie=None, Origin=None)
    assert status == 303 and headers["Location"] == "/"
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["Set-Cookie"].split("; "))
    status, headers, body = client("GET", "/", Origin=None)
    assert status == 200 and b"review.js" in body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "changed",
    [
        {"Host": "example.org"},
        {"Host": "example.org:80", "Origin": "http://example.org:80"},
        {"Host": None},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": None},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Cookie": None},
        {"Cookie": "tfseg-review-1=none"},
        {"Cookie": "\x00=;;"},
    ],
)
def test_a_request_that_is_not_the_page_s_is_refused_and_keeps_nothing(
    client, review, answers, changed
):
    status, headers, body = client("POST", "/answers", question(review), **changed)
    assert status == 403 and b"expected" in body
    assert "Content-Security-Policy" in headers and answers.given == {}
    if changed != {"Origin": None}:  # a page is asked for without one
        assert client("GET", "/review.json", **changed)[0] == 403


@pytest.mark.parametrize(
    "path", ["/", "/review.js", "/review.json", "/page_files/x", "/?token=", "/?token=wrong"]
)
def test_nothing_is_shown_without_the_token(client, path):
    assert client("GET", path, Cookie=None)[0] == 403


def test_files_of_the_page_are_served_also_in_parts(client, review):
    url = review.stretches[0]["view"]["sounds"][0]["url"]
    status, headers, body = client("GET", f"/{url}")
    assert status == 200 and body == (review.folder / PAGE_FILES / Path(url).name).read_bytes()
    assert headers["Content-Type"] in ("audio/flac", "audio/x-flac")
    status, _, part = client("GET", f"/{url}", Range="bytes=4-9")
    assert status == 206 and part == body[4:10]
    for name in ("view.js", "page.css", "review.css"):
        assert client("GET", f"/{name}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/answers.csv",
        "/page_files/../review.json",
        "/page_files/%2e%2e/review.json",
        "/page_files/..%2freview.json",
        "/page_files/%2e%2e%2f%2e%2e%2fmodel%2fmodel.json",
        "/page_files//etc/passwd",
        "/%2fetc%2fpasswd",
        "/../review.json",
        "/clips/0001-one.wav",
        "/page_files/",
        "/.page/",
        "/.lock",
    ],
)
def test_no_other_file_is_served(client, path):
    assert client("GET", path)[0] == 404


def test_an_answer_is_kept_and_taken_back(client, review, answers):
    asked = question(review)
    status, _, body = client("POST", "/answers", asked)
    key = [asked["stretch"], asked["labels"][0]]
    assert status == 200 and json.loads(body)["given"] == [[*key, "yes"]]
    assert answers.given == {tuple(key): "yes"}
    state = json.loads(client("GET", "/review.json")[2])
    assert state["given"] == [[*key, "yes"]] and len(state["stretches"]) == 4
    status, _, body = client("POST", "/undo", {})
    assert json.loads(body) | {"counts": None} == {"given": [], "again": [key], "counts": None}
    assert answers.given == {}


def test_answered_stretches_are_in_clips_csv_at_once(client, review):
    for label in review.stretches[1]["classes"]:
        client("POST", "/answers", question(review, 1) | {"labels": [label], "answer": "no"})
    _, row = (review.folder / "clips.csv").read_text().splitlines()
    assert row.startswith(review.stretches[1]["clip"] + ",,")
    client("POST", "/undo", {})
    assert len((review.folder / "clips.csv").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no json", "expected JSON"),
        (b"[]", "expected JSON"),
        ({"stretch": 1}, "expected JSON"),
        ({"stretch": True, "labels": [], "answer": "no"}, "expected a number"),
        ({"stretch": 1, "labels": "low tone", "answer": "no"}, "expected a number"),
        ({"stretch": 1, "labels": ["Gong"], "answer": "no"}, "an answer to a question"),
        ({"stretch": 99, "labels": ["low tone"], "answer": "no"}, "an answer to a question"),
    ],
)
def test_what_is_no_answer_is_said(client, answers, content, says):
    status, _, body = client("POST", "/answers", content)
    assert status == 400 and says in body.decode()
    assert answers.given == {}


def test_a_port_that_is_taken_is_said(review, answers, served):
    port = int(served[0].rpartition(":")[2])
    with pytest.raises(DataError, match=f"port {port}: expected a free one"):
        make_server(review, answers, port=port)
