# Images of textclf; docs/containers.md tells how to build and run them.
#   docker build -t textclf .                          predict, classify, serve, watch, worker, and the server of Amazon ML
#   docker build --target lambda -t textclf-lambda .   the same for AWS Lambda
#   docker build --target train -t textclf-train .     with what training needs
# Where packages come through a mirror, its pip.conf is given with --secret id=pip,src=pip.conf; it stays out of the image.

# Versions of packages of Debian are those of the base (DL3008).
# any image with Debian, and Python 3.11 or newer with pip and venv
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS builder
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv /opt/sbom \
    && /opt/sbom/bin/pip install 'cyclonedx-bom>=7,<8'
COPY deploy/predict.txt deploy/
# without pip: what runs later needs to install nothing
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m venv --without-pip /opt/textclf \
    && python3 -m pip --python /opt/textclf/bin/python install -r deploy/predict.txt
COPY . .
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m pip wheel --no-deps --wheel-dir /wheels . \
    && python3 -m pip --python /opt/textclf/bin/python install --no-deps /wheels/*.whl

# What is installed: /opt/textclf/sbom.cdx.json for Python, /var/lib/dpkg/status for Debian.
# What nothing here uses goes: packages of Celery's own command line, and Pygments, with which Rich and httpx would colour
# source code; tests, stubs for type checkers, descriptions of other services of AWS; and symbols for debuggers where they
# are large (not of libraries that auditwheel has rewritten: strip breaks these). Of the bytecode that pip makes of all there
# is, only that of what runs is kept: where the root file system is read-only, each start would compile it anew.
FROM builder AS predict-packages
WORKDIR /opt/textclf/lib
RUN python3 -m pip --python /opt/textclf/bin/python uninstall --yes click-repl prompt-toolkit pygments \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible --output-file /opt/textclf/sbom.cdx.json /opt/textclf/bin/python \
    && find . \( -type d -name tests -o -name '*.pyi' \) -prune -exec rm -r {} + \
    && find . -path '*/botocore/data/*' -prune -type d ! -name dynamodb ! -name machinelearning ! -name s3 ! -name 's[qst]s' \
        ! -name 'sso*' ! -name signin -exec rm -r {} + \
    && for package in sqlalchemy uvloop httptools wcwidth; do \
        find . -path "*/$package/*.so" -exec strip --strip-unneeded {} +; \
    done \
    && find . -name __pycache__ -prune -exec rm -r {} + \
    && /opt/textclf/bin/python /source/deploy/bytecode.py

FROM builder AS train-packages
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    python3 -m pip --python /opt/textclf/bin/python install "$(echo /wheels/*.whl)[dask]" \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible --output-file /opt/textclf/sbom.cdx.json /opt/textclf/bin/python

FROM ${BASE} AS runtime
# more languages, as Debian names them: --build-arg LANGUAGES="deu fra chi-sim"
ARG LANGUAGES=""
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        tesseract-ocr-eng tesseract-ocr-ita tesseract-ocr-osd \
        ${LANGUAGES:+$(printf 'tesseract-ocr-%s ' ${LANGUAGES})} \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/* \
    && groupadd --gid 10001 textclf \
    && useradd --uid 10001 --gid textclf --no-create-home --home-dir /tmp --shell /usr/sbin/nologin textclf \
    && install -d -o textclf -g textclf -m 0700 /library \
    && install -d -o textclf -g textclf -m 0755 /data
COPY deploy/health.py /opt/health.py
# The root file system can be read-only: what is written goes to /library, /data, other mounts, and /tmp.
# The languages of Tesseract: its library comes with tesserocr, and the program, as large as all of NumPy, is left out.
ENV PATH=/opt/textclf/bin:$PATH \
    TESSDATA_PREFIX=/usr/share/tesseract-ocr/5/tessdata \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TEXTCLF_SERVE_LIBRARY=/library \
    TEXTCLF_SERVE_HOST=0.0.0.0 \
    TEXTCLF_SERVE_PORT=8080 \
    TEXTCLF_SERVE_KEY_FILE=/run/secrets/keys \
    TEXTCLF_WORKER_LIBRARY=/library \
    TEXTCLF_WORKER_METRICS_HOST=0.0.0.0 \
    TEXTCLF_WORKER_METRICS_PORT=9464 \
    AMAZON_ML_SERVE_DATA_DIR=/library \
    AMAZON_ML_SERVE_HOST=0.0.0.0 \
    AMAZON_ML_SERVE_PORT=8080 \
    AMAZON_ML_SERVE_CREDENTIALS=/run/secrets/credentials
WORKDIR /data
EXPOSE 8080 9464
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "/opt/health.py"]
ENTRYPOINT ["textclf"]
CMD ["--help"]
ARG REVISION=""
LABEL org.opencontainers.image.title="textclf" \
      org.opencontainers.image.description="Reads scanned documents, says what kind each is, how sure it is and why" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}"

FROM runtime AS train
COPY --from=train-packages /opt/textclf /opt/textclf

FROM runtime AS predict
COPY --from=predict-packages /opt/textclf /opt/textclf

FROM predict AS lambda
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["aws_ml_adapter.serverless.work.handler"]
HEALTHCHECK NONE

# the last one is built unless another one is named
FROM predict
