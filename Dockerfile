# The demo on any machine with Docker or Podman; its runs and its cache are in the volume /runs.
#   docker build -t innerear .
#   docker run --rm -v "$PWD/runs:/runs" innerear              # the demo; the page is runs/demo/report/index.html
#   docker run --rm -v "$PWD/runs:/runs" innerear innerear doctor
# Programs run in the jail's tier `ll`, which works in a container without further privileges.
ARG BASE=docker.io/library/python:3.12-slim
FROM ${BASE}
COPY pyproject.toml README.md LICENSE NOTICE /src/
COPY src /src/src
RUN python3 -m pip install --no-cache-dir '/src[yamnet,speech,whisper]' && rm -r /src
ENV INNEREAR_CACHE=/runs/cache
VOLUME /runs
WORKDIR /
CMD ["sh", "-c", "innerear weights pull; exec innerear run --suite 2/core --model recorded/one-shot --model baseline/silence --model baseline/noise --model baseline/sine --out /runs/demo"]
