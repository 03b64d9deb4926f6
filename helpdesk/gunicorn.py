"""Web server settings: a few processes of threads, the arrangement that served these pages fastest on two cores."""

import gc
import os
from importlib import import_module
from pathlib import Path
from typing import Any

wsgi_app = "helpdesk.wsgi:application"
bind = f"{os.environ.get('BIND_ADDRESS', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))

# Longer than any page may take, shorter than a browser's patience.
timeout = 60
graceful_timeout = 20
keepalive = 15

# The heartbeat file must not sit on a slow disk, or a busy worker is taken for dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# Nobody steers a running server through a socket in the home folder here.
control_socket_disable = True

# Code is read once and shared by all processes, a third of what they would hold each for itself.
preload_app = True


def when_ready(_server: Any) -> None:
    """Before there is a second process: all that each would read with its first page, but nothing it may not share."""
    from django.conf import settings
    from django.db import connections

    import_module(settings.ROOT_URLCONF)
    connections.close_all()
    gc.collect()
    gc.freeze()  # a collection writes into all that it looks at, and so makes it each process's own
