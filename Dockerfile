FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Without pip: the image installs nothing once it is built.
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock requirements-build.lock ./
RUN pip --python /opt/venv/bin/python install --require-hashes -r requirements.lock \
    && pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/venv/bin/python install --no-deps --no-index dist/*.whl \
    && mkdir /data

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=10001:10001 --chmod=0700 /data /data
USER 10001:10001
# The database lands here. The configuration is /etc/slotbridge/slotbridge.toml, secrets are files in /run/secrets.
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["slotbridge", "healthcheck"]
ENTRYPOINT ["slotbridge"]
CMD ["run"]
