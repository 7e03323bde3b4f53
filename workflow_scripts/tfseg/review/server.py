"""The page of a review, served to this machine's browser and to nobody else.

Bottle does the routing: one file without further packages, kept since 2009. Python's own server
(wsgiref) listens on 127.0.0.1. Any page in the same browser can send requests there, and so can all
users of the machine. `Guard` therefore refuses what does not name this server as its host (a foreign
name that resolves to 127.0.0.1), comes from another origin, or does not have the token that the
command prints. There are no headers that would let another origin read an answer.
"""

import hmac
import secrets
import socketserver
import threading
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref import simple_server

import bottle

from tfseg.errors import DataError, NotWrittenError
from tfseg.reporting.pages.render import TEMPLATES
from tfseg.review import clips
from tfseg.review.folder import PAGE_FILES, PAGE_URL
from tfseg.review.ranking import REASONS

HOST = "127.0.0.1"
_PAGE = Path(__file__).parent / "page"
# What the page loads, and where it lies.
_OWN = {
    "review.js": _PAGE,
    "review.css": _PAGE,
    "view.js": TEMPLATES,
    "page.css": TEMPLATES,
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """WSGI middleware that lets only the page itself in.

    Parameters
    ----------
    app : callable
        WSGI application.
    port : int
        Of the server.
    token : str
        In the address that the command prints; the browser gets it back as a cookie.
    """

    def __init__(self, app, port, token):
        self._app, self._token = app, token
        self._hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        # Cookies do not tell ports apart: another review has another cookie.
        self._cookie = f"tfseg-review-{port}"

    def _why_not(self, environ):
        """Reason to refuse a request; None where there is none."""
        host = environ.get("HTTP_HOST", "")
        if host not in self._hosts:
            return f"expected this server's own address as host, found {host!r}"
        origin = environ.get("HTTP_ORIGIN")
        writes = environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        if (origin is not None or writes) and origin != f"http://{host}":
            return f"expected a request of the page itself, found one from {origin!r}"
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            return "expected a request of the page itself, found one from another site"
        return None

    def _equal(self, given):
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _has_cookie(self, environ):
        try:
            cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
        except CookieError:  # of another server on this host: whoever it is, has no token of ours
            return False
        return self._cookie in cookies and self._equal(cookies[self._cookie].value)

    def __call__(self, environ, start_response):
        """Answer a request, or pass it on."""

        def start(status, headers, exc_info=None):
            return start_response(status, [*headers, *_HEADERS.items()], exc_info)

        def refuse(why):
            start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{why}. Open the address that tfseg review prints.\n".encode()]

        why = self._why_not(environ)
        if why is not None:
            return refuse(why)
        (token,) = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[:1]
        if environ["PATH_INFO"] == "/" and token and self._equal(token):
            cookie = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"
            start("303 See Other", [("Location", "/"), ("Set-Cookie", cookie)])
            return [b""]
        if not self._has_cookie(environ):
            return refuse("expected the token of this review, found none or another one")
        return self._app(environ, start)


class _Service:
    """What the routes do; one request at a time touches the answers."""

    def __init__(self, review, answers, labelled):
        self._review, self._answers, self._labelled = review, answers, labelled
        self._lock = threading.Lock()
        self._keep_clips()

    def _keep_clips(self):
        """Bring ``clips.csv`` up to date, and say what it holds."""
        given = self._answers.given
        rows = clips.clip_rows(self._review.stretches, given, self._labelled)
        clips.write_clips(self._review.folder / clips.FILE, rows)
        return clips.count(self._review.stretches, given)

    def _state(self):
        return {
            "given": [[*key, answer] for key, answer in self._answers.given.items()],
            "counts": clips.count(self._review.stretches, self._answers.given),
        }

    def everything(self):
        """What the page needs to begin."""
        with self._lock:
            return self._state() | {
                "stretches": self._review.stretches,
                "reasons": REASONS,
                "clips": str(self._review.folder / clips.FILE),
            }

    def add(self, stretch, labels, answer):
        """Keep an answer; the state after it."""
        with self._lock:
            self._answers.add(stretch, labels, answer)
            self._keep_clips()
            return self._state()

    def undo(self):
        """Take back the last answer; the state after it, and what is asked again."""
        with self._lock:
            keys = self._answers.undo()
            self._keep_clips()
            return self._state() | {"again": keys}


def _asked_for(request):
    """Read stretch, classes and answer from a request.

    Raises
    ------
    DataError
        When it holds something else.
    """
    try:
        given = request.json
        stretch, labels, answer = given["stretch"], given["labels"], given["answer"]
    except (KeyError, TypeError, bottle.HTTPError):
        raise DataError("expected JSON with stretch, labels and answer") from None
    of_text = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if type(stretch) is not int or not of_text or not isinstance(answer, str):
        raise DataError("expected a number, a list of labels and an answer")
    return stretch, labels, answer


def make_app(review, answers, labelled=()):
    """Make the application, not yet guarded.

    Parameters
    ----------
    review : tfseg.review.folder.Review
    answers : tfseg.review.answers.Answers
    labelled : sequence of dict
        Rows that ``clips.csv`` has before those of the review (`tfseg.review.clips.labelled_clips`).

    Returns
    -------
    app : bottle.Bottle
    """
    app, service = bottle.Bottle(), _Service(review, answers, labelled)
    page_files = review.page_files

    def said(work):
        """Do something; an error that is meant for the user goes to the page as text."""
        try:
            return work()
        except NotWrittenError as error:
            status, text = 507, str(error)
        except DataError as error:
            status, text = 400, str(error)
        return bottle.HTTPResponse(text, status, {"Content-Type": "text/plain; charset=utf-8"})

    app.get("/", callback=lambda: bottle.static_file("index.html", root=str(_PAGE)))
    app.get("/review.json", callback=service.everything)
    app.post("/answers", callback=lambda: said(lambda: service.add(*_asked_for(bottle.request))))
    app.post("/undo", callback=lambda: said(service.undo))

    @app.get(f"/{PAGE_URL}/<name>")
    def page_file(name):
        if name not in page_files:
            raise bottle.HTTPError(404, "no such file in this review")
        return bottle.static_file(name, root=str(review.folder / PAGE_FILES))

    @app.get("/<name>")
    def own_file(name):
        if name not in _OWN:
            raise bottle.HTTPError(404, "no such file in this review")
        return bottle.static_file(name, root=str(_OWN[name]))

    return app


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    """A thread for each request: browsers open connections ahead, and use them later."""

    daemon_threads = True


class _Handler(simple_server.WSGIRequestHandler):
    """Says nothing of requests that went well."""

    def log_request(self, code="-", size="-"):
        """Leave the terminal to the command."""


def make_server(review, answers, labelled=(), *, port=0):
    """Make a server that listens on 127.0.0.1; its ``serve_forever`` serves.

    Parameters
    ----------
    review, answers, labelled
        As `make_app` takes them.
    port : int
        0: any that is free.

    Returns
    -------
    server : wsgiref.simple_server.WSGIServer
    address : str
        To open in a browser; with the token.

    Raises
    ------
    DataError
        When the port is taken.
    """
    token = secrets.token_urlsafe(32)
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise DataError(f"port {port}: expected a free one, found: {error.strerror}") from None
    server.set_app(Guard(make_app(review, answers, labelled), server.server_port, token))
    return server, f"http://{HOST}:{server.server_port}/?token={token}"
