# Light set only: no torch, no transformers. One process, one volume, not root.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/warmline
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY models models
COPY handoff handoff
COPY conversations conversations
COPY eval eval
COPY migrations migrations
RUN /opt/warmline/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data warmline && install -d -o warmline /data
COPY --from=build /opt/warmline /opt/warmline
ENV PATH=/opt/warmline/bin:$PATH PYTHONUNBUFFERED=1 \
    WARMLINE_ENVIRONMENT=production WARMLINE_DATA_DIR=/data
USER warmline
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["warmline", "serve", "--host", "0.0.0.0", "--port", "8000"]
