"""The server to correct on: who may ask it for what."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("starlette", reason='Starlette is not installed: pip install "triscribe[correct]"')
pytest.importorskip("httpx2", reason="httpx2 is not installed, which Starlette's test client needs")

from starlette.testclient import TestClient

from pipelines.commands import cli
from pipelines.correcting.folder import Folder
from pipelines.correcting.server import application, new_token
from pipelines.results import Segment, Transcript
from pipelines.stored_results import read_result

ROOT = Path(__file__).parents[3]
HERE = "http://127.0.0.1:8000"
TOKEN = "a-token"


@pytest.fixture
def client(out):
    with TestClient(application(Folder(out, "Ada"), TOKEN), base_url=HERE) as client:
        yield client


def items(client) -> list[dict]:
    page = client.get(f"/{TOKEN}/")
    assert page.status_code == 200
    return json.loads(re.search(r'id="data">(.*?)</script>', page.text, re.DOTALL)[1])["items"]


def test_the_page_has_everything_and_asks_for_nothing_from_elsewhere(client):
    page = client.get(f"/{TOKEN}/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "http" not in policy
    (nonce,) = re.findall("script-src 'nonce-([^']+)'", policy)
    assert re.findall(r'<script nonce="([^"]+)">', page.text) == [nonce, nonce]
    assert nonce not in client.get(f"/{TOKEN}/").text
    assert (page.headers["referrer-policy"], page.headers["x-content-type-options"]) == (
        "no-referrer",
        "nosniff",
    )
    found = items(client)
    assert [item["name"] for item in found] == ["page.png", "talk.wav", "c.mp4", "x.wav"]
    for address in (found[0]["image"], found[1]["media"], *(output[1] for output in found[0]["outputs"])):
        answer = client.get(f"/{TOKEN}/{address}")
        assert answer.status_code == 200 and answer.content
    assert '"all":true' in page.text and '"labels":["approach","bounce","fall","rise","rotate"]' in page.text


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/a-token-2/", "/A-TOKEN/", "//", "/a-token/../", "/file/0/it.png"]
)
def test_without_the_token_there_is_nothing(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path + "undo", json={}).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[::1]", "127.0.0.1:8000:1"]
)
def test_other_hosts_are_refused(client, host):
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 403
    assert client.get(f"/{TOKEN}/", headers={"host": "localhost:9"}).status_code == 200


def test_other_pages_may_not_correct(client, out):
    body = {"line": 0, "text": "theirs"}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9"):
        answer = client.post(f"/{TOKEN}/result/0", json=body, headers={"origin": origin})
        assert answer.status_code == 403
    assert "theirs" not in (out / "page.txt").read_text()
    assert client.post(f"/{TOKEN}/result/0", json=body, headers={"origin": HERE}).status_code == 200


def test_no_path_leads_elsewhere(client, out):
    secret = out.parent / "secret.txt"
    secret.write_text("secret")
    for path in ("file/0/../../secret.txt", "file/..%2F..%2Fsecret.txt", "file/99/it.txt", "file/-1/it.txt",
                 "file/0x0/it", f"file/{secret}", "%2e%2e/secret.txt"):  # fmt: skip
        answer = client.get(f"/{TOKEN}/{path}")
        assert answer.status_code in (400, 404, 405), path
        assert "secret" not in answer.text.lower().replace("secret.txt", "")


def test_only_media_and_outputs_are_served_whatever_the_table_names(out):
    """A table that somebody else wrote may name any file as the source of a result, or as an output."""
    secret, other = out.parent / "secret.txt", out.parent / "other.json"
    secret.write_text("secret")
    Transcript((Segment("x", 0, 1, 0.5),), 1.0, "m", source=str(secret)).save(other)
    (out / "link.txt").symlink_to(secret)
    names = ["../other.json", "../secret.txt", "link.txt"]
    row = {"source": str(secret), "task": "speech", "status": "done", "outputs": names}
    with open(out / "results.jsonl", "a") as file:
        file.write(json.dumps(row) + "\n")
    with TestClient(application(Folder(out, "Ada"), TOKEN), base_url=HERE) as client:
        item = items(client)[4]
        for address in (item["media"], *(output[1] for output in item["outputs"])):
            assert client.get(f"/{TOKEN}/{address}").status_code == 404
        assert client.post(f"/{TOKEN}/result/4", json={"line": 0, "text": "y"}).status_code == 500
    assert secret.read_text() == "secret" and read_result(other).text == "x"


def test_recordings_are_sent_in_parts_and_converted_if_asked(client):
    address = f"/{TOKEN}/{items(client)[1]['media']}"
    whole = client.get(address).content
    part = client.get(address, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert client.get(address, headers={"range": f"bytes={len(whole)}-"}).status_code == 416
    converted = client.get(f"{address}?wav")
    assert converted.headers["content-type"] == "audio/wav" and converted.content[:4] == b"RIFF"
    image = items(client)[0]["image"]
    assert client.get(f"/{TOKEN}/{image}?wav").status_code == 404


def test_correcting_and_undoing(client, out):
    body = {"line": 1, "text": "second line here", "checked": True}
    answer = client.post(f"/{TOKEN}/result/0", json=body)
    assert answer.json()["item"]["lines"][1]["k"][0] == "Ada"
    assert "second line here" in (out / "page.txt").read_text()
    assert items(client)[0]["lines"][1]["k"][0] == "Ada"
    assert client.post(f"/{TOKEN}/undo", json={}).json()["place"] == 1
    assert client.post(f"/{TOKEN}/undo", json={}).json() is None
    assert "second lime here" in (out / "page.txt").read_text()


def test_a_conflict_is_told(client, out):
    assert client.get(f"/{TOKEN}/result/0").json()["kept"] == []
    (out / "page.json").write_text((out / "page.json").read_text() + " ")
    body = {"line": 1, "text": "second line here"}
    answer = client.post(f"/{TOKEN}/result/0", json=body)
    assert answer.status_code == 409 and "changed on disk" in answer.json()["conflict"]
    assert client.post(f"/{TOKEN}/result/0", json={**body, "force": True}).status_code == 200
    answer = client.post(f"/{TOKEN}/result/0", json={**body, "before": "second lime here"})
    assert answer.status_code == 409 and "This line was changed" in answer.json()["conflict"]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "{", '{"line": "0", "text": "x"}', '{"line": true, "text": "x"}', '{"line": 0}',
     '{"line": 0, "text": 5}', '{"line": 0, "text": "x", "checked": 1}',
     '{"line": 9, "text": "x"}', '{"line": -1, "text": "x"}'],
)  # fmt: skip
def test_what_is_not_understood_is_refused(client, body):
    answer = client.post(f"/{TOKEN}/result/0", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400 and (answer.text or answer.json())


def test_a_long_text_and_an_odd_one(client, out):
    assert client.post(f"/{TOKEN}/result/0", json={"line": 0, "text": "x" * 2_000_000}).status_code == 413
    odd = 'tab\tand\u2028break </script><!-- "quoted" & \u202e \x00\ud800 é'
    answer = client.post(f"/{TOKEN}/result/0", content=json.dumps({"line": 0, "text": odd}))
    assert answer.status_code == 200
    assert items(client)[0]["lines"][0]["w"][3][0] == "</script><!--"
    assert read_result(out / "page.json").lines[0].text.startswith("tab and break </script>")


def test_tokens_are_long_and_never_alike():
    assert new_token() != new_token() and len(new_token()) >= 20
    assert re.fullmatch(r"[\w-]+", new_token())


def test_the_page_is_written_when_the_server_ends(out):
    with TestClient(application(Folder(out, "Ada"), TOKEN), base_url=HERE) as client:
        client.post(f"/{TOKEN}/result/1", json={"line": 0, "text": "one two"})
        assert not (out / "index.html").exists()
    assert "checked" in (out / "index.html").read_text() and TOKEN not in (out / "index.html").read_text()
    assert not [name for name in os.listdir(out) if name.endswith(".tmp")]


def test_the_command_serves_until_it_is_interrupted(out):
    command = [sys.executable, "-m", "pipelines.commands.cli", "correct", str(out), "--name", "Ada"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            told = process.stdout.readline()
            assert told.startswith("4 results to correct as Ada: http://127.0.0.1:")
            address = told.split()[-1]
            request = Request(f"{address}result/1", json.dumps({"line": 0, "text": "one two"}).encode())
            with urlopen(request, timeout=30) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0 and process.stderr.read() == ""
    assert read_result(out / "talk.json").text == "one two" and "checked" in (out / "index.html").read_text()


def test_a_folder_without_results_and_a_port_in_use(tmp_path, out, capsys):
    assert cli.main(["correct", str(tmp_path)]) == 1
    assert "holds neither results.jsonl nor a journal" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert cli.main(["correct", str(out), "--port", port]) == 2
        assert cli.main(["correct", str(out), "--port", "70000"]) == 2
    assert f"--port {port} cannot be used" in capsys.readouterr().err
