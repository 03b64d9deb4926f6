FROM python:3.11-slim AS packages
# Beside the system's Python, so that the last image needs neither pip's cache nor a compiler.
RUN python -m venv /opt/venv
COPY requirements-deploy.lock /tmp/
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements-deploy.lock


FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BIND_ADDRESS=0.0.0.0 \
    PORT=8000
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin helpdesk
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY . .
# The key signs nothing here: Django only wants one to be there. Files is a volume's place, owned by the one who writes.
RUN SECRET_KEY=build python manage.py collectstatic --noinput \
    && mkdir -p var/files var/sandbox \
    && chown -R helpdesk:helpdesk var
USER helpdesk
EXPOSE 8000
# Asked by an allowed name and as if by HTTPS, else the desk would refuse or redirect.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 \
    CMD ["python", "-c", "import http.client as h, os; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz', headers={'Host': os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')[0].lstrip('.*') or 'localhost', 'X-Forwarded-Proto': 'https'}); raise SystemExit(c.getresponse().status != 200)"]
CMD ["gunicorn", "--config", "helpdesk/gunicorn.py"]
