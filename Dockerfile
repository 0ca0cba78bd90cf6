# The demo in a container:  docker compose up
# With a browser, for pages that need one:  docker compose build --build-arg BROWSER=chromium-headless-shell
FROM python:3.12-slim-bookworm

ARG BROWSER=""
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libcurl4 libssl3 liblzma5 lbzip2 ${BROWSER} \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home tidemark \
    && install -d -o tidemark -g tidemark /srv/tidemark /srv/tidemark/.data

USER tidemark
WORKDIR /srv/tidemark

# Packages first: they change seldom, the code often.
COPY --chown=tidemark bootstrap.py requirements.lock ./
RUN python3 bootstrap.py
ENV PATH=/srv/tidemark/.venv/bin:$PATH PYTHONUNBUFFERED=1

COPY --chown=tidemark . .
VOLUME /srv/tidemark/.data

# The settings can be used: a bad MONGODB_URI shows here.
HEALTHCHECK --interval=30s --timeout=10s CMD ["python", "-c", "from crawler import config; config.load()"]
CMD ["python", "-m", "demo"]
