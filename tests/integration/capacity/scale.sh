#!/bin/sh
# scale.sh PIDFILE REPLICAS [BEFORE]: as many TTIN or TTOU as it takes; gunicorn began with one worker.
at=${3:-1}
while [ "$at" -lt "$2" ]; do kill -TTIN "$(cat "$1")"; at=$((at + 1)); sleep 0.2; done
while [ "$at" -gt "$2" ]; do kill -TTOU "$(cat "$1")"; at=$((at - 1)); sleep 0.2; done
