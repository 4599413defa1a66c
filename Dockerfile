FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    QUARRY_DATA=/data QUARRY_STATIC=/app/staticfiles

WORKDIR /app
COPY requirements/server.txt requirements/
RUN pip install -r requirements/server.txt

# The GPU image has torch for FP16 reranking: docker compose --profile gpu build
ARG WITH_GPU=
COPY requirements/gpu.txt requirements/
RUN if [ -n "$WITH_GPU" ]; then pip install -r requirements/gpu.txt; fi

# And that of the Triton client: docker compose --profile triton build
ARG WITH_TRITON=
COPY requirements/triton.txt requirements/
RUN if [ -n "$WITH_TRITON" ]; then pip install -r requirements/triton.txt; fi

RUN useradd --system --uid 10001 --home-dir /data quarry && mkdir /data && chown quarry: /data

# What .dockerignore lists, readable by everybody whatever the checkout's modes are, writable by nobody else.
COPY . .
RUN chmod -R u=rwX,go=rX .
# The table of the encoder as it is computed with, so that all processes map one file and none makes a copy.
RUN python -c "from pathlib import Path; from training.static_model import read_model, write_model; \
    write_model(read_model('models/encoder'), Path('models/encoder'))"
RUN QUARRY_SECRET_KEY=build QUARRY_DATA=/tmp/build python manage.py collectstatic --no-input \
    --ignore redoc --ignore rest_framework && rm -rf /tmp/build

USER quarry
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "--config", "docker/gunicorn.py", "config.wsgi"]
