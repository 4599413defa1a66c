"""A real nginx with the shipped configuration, but for where it listens and whom it asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.dns import Names
from tests.support.servers import ROOT, free_port, listens, program, running, wait_for

MAIN = """
daemon off; pid nginx.pid; worker_processes 1; {user}
events {{}}
http {{
    include shipped.conf;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
}}
"""


@contextmanager
def nginx(folder: Path, names: Names, web_port: int) -> Iterator[str]:
    """The proxy's address. Its name server is `names`; the web servers listen on `web_port`."""
    port, home = free_port(), folder / "nginx"
    home.mkdir()
    shipped = (ROOT / "docker" / "nginx.conf").read_text()
    for here, there in (
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("resolver 127.0.0.11 ", f"resolver 127.0.0.1:{names.port} "),
        ("http://$web:8000;", f"http://$web:{web_port};"),
    ):
        assert here in shipped
        shipped = shipped.replace(here, there)
    (home / "shipped.conf").write_text(shipped)
    (home / "nginx.conf").write_text(MAIN.format(user="user root;" if os.geteuid() == 0 else ""))
    command = [program("nginx", "/usr/sbin"), "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]
    with running(command, folder / "nginx.log"):
        wait_for(lambda: listens(port), "nginx")
        yield f"http://127.0.0.1:{port}"
