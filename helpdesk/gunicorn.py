"""Web server settings: a few processes of threads, the arrangement that served these pages fastest on two cores."""

import os
from pathlib import Path

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
