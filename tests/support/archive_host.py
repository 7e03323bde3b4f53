"""A local server that behaves like the hosts of the data sets, with archives made by the test."""

import contextlib
import hashlib
import http.server
import io
import json
import threading
import zipfile

import soundfile


def wav(rng, seconds, rate):
    """Bytes of a wav file of noise."""
    file = io.BytesIO()
    soundfile.write(file, 0.1 * rng.standard_normal(int(seconds * rate)), rate, format="WAV")
    return file.getvalue()


def packed(entries):
    """Bytes of a zip archive of these entries: name to content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def facts(content):
    """Entry of an archive in a registry."""
    return {"bytes": len(content), "md5": hashlib.md5(content).hexdigest()}


def record(archives):
    """Answer of zenodo's API for a record."""
    files = [
        {"key": name, "size": len(content), "checksum": f"md5:{facts(content)['md5']}"}
        for name, content in archives.items()
    ]
    return json.dumps({"files": files}).encode()


def tree(files):
    """Answer of GitHub's API for a commit's files."""
    entries = [
        {
            "path": path,
            "type": "blob",
            "size": len(content),
            "sha": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
        }
        for path, content in files.items()
    ]
    return json.dumps({"tree": entries, "truncated": False}).encode()


@contextlib.contextmanager
def serving(files, *, whole=()):
    """Serve files; the first answer for each one is cut off halfway.

    Parameters
    ----------
    files : dict of str to bytes
        Path without query to content.
    whole : sequence of str
        Beginnings of paths that are never cut off and, as GitHub does, know no ranges.

    Yields
    ------
    address : str
    """
    cut = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split("?")[0]
            if path not in files:
                self.send_error(404)
                return
            content, simple = files[path], path.startswith(tuple(whole))
            start = 0 if simple else int(self.headers.get("Range", "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            if start:
                last = len(content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            stop = len(content)
            if path.endswith(".zip") and not simple and path not in cut:
                cut.add(path)
                stop = len(content) // 2
            self.wfile.write(content[start:stop])
            if stop < len(content):
                self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
