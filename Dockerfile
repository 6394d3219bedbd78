FROM python:3.13-slim AS build

WORKDIR /src
RUN python3 -m venv /opt/migrebot
COPY requirements.lock ./
RUN /opt/migrebot/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY actors actors
COPY migrebot migrebot
COPY storage storage
# The tools that installed the program have no business in the image that runs it.
RUN /opt/migrebot/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/migrebot/bin/pip uninstall --yes setuptools pip


FROM python:3.13-slim

COPY --from=build /opt/migrebot /opt/migrebot
# By number, so that an orchestrator can see that it is not root; only /data is the program's own.
RUN install -d -o 10001 -g 10001 -m 700 /data
# Of the environment, so that they beat HOST and PORT of an old .env, which speak of the machine outside.
ENV PATH=/opt/migrebot/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    MIGREBOT_BOT_DATA_DIR=/data \
    MIGREBOT_HTTP_HOST=0.0.0.0 \
    MIGREBOT_HTTP_PORT=8080
USER 10001:10001
# A config.toml in the volume is read from here.
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['MIGREBOT_HTTP_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["migrebot"]
CMD ["run"]
