#!/bin/sh
# Put a new version live without a gap: new web containers first, the old ones leave when those may serve.
# Run it beside docker-compose.yml, after `git pull`. Old and new code run side by side for a while, so the
# migrations of a version must suit the code before it (docs/operate.md).
set -eu

may_serve='import urllib.request as u; u.urlopen("http://127.0.0.1:8000/readyz", timeout=5)'

old=$(docker compose ps --quiet web)
count=$(echo "$old" | wc -w)
if [ "$count" -eq 0 ]; then
    echo "No web container runs: docker compose up --detach starts everything." >&2
    exit 1
fi

docker compose build
docker compose run --rm --no-deps migrate
docker compose up --detach --no-deps --no-recreate --scale "web=$((2 * count))" web

new=
for id in $(docker compose ps --quiet web); do
    case $old in *"$id"*) ;; *) new="$new $id" ;; esac
done
for id in $new; do
    tries=0
    until docker exec "$id" python -c "$may_serve" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -ge 60 ]; then
            echo "The new web container $id may not serve; the old ones stay. Its log: docker logs $id" >&2
            docker rm --force --volumes $new
            exit 1
        fi
        sleep 1
    done
done
sleep 2 # until the proxy has asked for addresses again

for id in $old; do
    docker stop --time 40 "$id"
    docker rm --volumes "$id"
done
docker compose up --detach --scale "web=$count"
